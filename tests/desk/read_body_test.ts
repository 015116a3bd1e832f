import { assertEquals, assertLess } from "@std/assert";
import { createRequestTracker } from "../../desk/request_tracker.ts";
import type { CreateTicketResult } from "../../domain/ports/desk.ts";
import { type Behavior, head, respondWith, startRawServer, write } from "../support/raw_server.ts";
import { supportRequest } from "../support/records.ts";
import { assertCreation, failure, LONG_MS, settings, withoutTrace } from "./fixtures.ts";

const CREATED = '{"type":"ticket","id":"42"}';
const MAX_BYTES = 64 * 1024;
const CHUNKED = "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n";
const MEGABYTE = 1024 * 1024;

/** Creates tickets at a desk with this behavior; returns the ticket number or reason of each. */
async function created(behavior: Behavior, count = 1): Promise<string[]> {
  const hostile = startRawServer(behavior);
  const desk = createRequestTracker({ ...settings, url: hostile.url }, fetch);
  const create = () => desk.createTicket(supportRequest(), AbortSignal.timeout(5000));
  const describe = (creation: CreateTicketResult) =>
    creation.outcome === "created" ? creation.ticket.reference : creation.failure.reason;
  try {
    return (await Promise.all(Array.from({ length: count }, create))).map(describe);
  } finally {
    await hostile.close();
  }
}

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

/** A valid body of this length. */
function padded(length: number): string {
  return CREATED.padEnd(length);
}

/** Writes pieces one after the other, so that each is read separately. */
function inPieces(start: string, pieces: (string | Uint8Array)[]): Behavior {
  return async (connection) => {
    await write(connection, start);
    for (const piece of pieces) {
      await write(connection, piece);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
}

async function gzipped(text: string): Promise<Uint8Array> {
  const packed = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

Deno.test("a response in pieces is read, with Content-Length and in chunks", async () => {
  const pieces = [CREATED.slice(0, 5), CREATED.slice(5, 6), CREATED.slice(6)];
  assertEquals(await created(inPieces(head(201, CREATED.length), pieces)), ["42"]);
  assertEquals(await created(inPieces(CHUNKED, [...pieces.map(chunk), chunk("")])), ["42"]);
});

Deno.test("a response without Content-Length is read until the desk closes", async () => {
  const start = "HTTP/1.1 201 Created\r\nConnection: close\r\n\r\n";
  assertEquals(await created((connection) => write(connection, start + CREATED)), ["42"]);
});

Deno.test("a gzipped response is read", async () => {
  const bytes = await gzipped(padded(MAX_BYTES));
  const start = head(201, bytes.length, "Content-Encoding: gzip");
  assertEquals(await created(inPieces(start, [bytes.subarray(0, 20), bytes.subarray(20)])), ["42"]);
});

for (const [length, outcome] of [[MAX_BYTES, "42"], [MAX_BYTES + 1, "desk_unreadable"]] as const) {
  Deno.test(`a response of ${length} bytes is ${outcome}, however it is sent`, async () => {
    const body = padded(length);
    const packed = await gzipped(body);
    const gzip = head(201, packed.length, "Content-Encoding: gzip");
    const closing = "HTTP/1.1 201 Created\r\nConnection: close\r\n\r\n";
    for (
      const behavior of [
        inPieces(head(201, length), [body]),
        inPieces(CHUNKED, [chunk(body.slice(0, 1000)), chunk(body.slice(1000)), chunk("")]),
        inPieces(closing, [body]),
        inPieces(gzip, [packed]),
      ]
    ) assertEquals(await created(behavior), [outcome]);
  });
}

Deno.test("a response of 30 MB without Content-Length is not read to the end", async () => {
  let sent = 0;
  const outcome = await created(async (connection) => {
    await write(connection, "HTTP/1.1 201 Created\r\nConnection: close\r\n\r\n");
    const megabyte = new Uint8Array(MEGABYTE).fill(0x20);
    for (; sent < 30; sent++) await write(connection, megabyte);
  });
  assertEquals(outcome, ["desk_unreadable"]);
  // What the kernel buffers counts as sent.
  assertLess(sent, 20);
});

Deno.test("a response of 351 KB in single bytes needs no memory and little time", async () => {
  const single = chunk(" ").repeat(1000);
  const behavior: Behavior = async (connection) => {
    await write(connection, CHUNKED);
    for (let sent = 0; sent < 351; sent++) await write(connection, single);
    await write(connection, chunk(""));
  };
  // The first one loads code, which later ones share.
  await created(behavior);
  const before = Deno.memoryUsage().rss;
  let peak = before;
  const watch = setInterval(() => peak = Math.max(peak, Deno.memoryUsage().rss), 5);
  const started = performance.now();
  try {
    assertEquals(await created(behavior, 5), Array(5).fill("desk_unreadable"));
  } finally {
    clearInterval(watch);
  }
  peak = Math.max(peak, Deno.memoryUsage().rss);
  assertLess((peak - before) / MEGABYTE, 30);
  assertLess(performance.now() - started, 5000);
});

const LONG_BODIES: [string, string, string][] = [
  ["a 201 of 30 MB", head(201, 30 * MEGABYTE), " ".repeat(MEGABYTE)],
  [
    "a 201 of 30 MB in chunks that claims to be short",
    head(201, 11, "Transfer-Encoding: chunked"),
    `${MEGABYTE.toString(16)}\r\n${" ".repeat(MEGABYTE)}\r\n`,
  ],
];
for (const [what, start, piece] of LONG_BODIES) {
  Deno.test(`${what} is not read to the end`, async () => {
    const bytes = new TextEncoder().encode(piece);
    let sent = 0;
    const hostile = startRawServer(async (connection) => {
      await write(connection, start);
      for (; sent < 30; sent++) await write(connection, bytes);
    });
    try {
      await assertCreation(hostile.url, failure("desk_unreadable", true), LONG_MS);
    } finally {
      await hostile.close();
    }
    // What the kernel buffers counts as sent.
    assertLess(sent, 20);
  });
}

Deno.test("a gzip bomb of 50 MB is not decompressed to the end", async () => {
  const bomb = await gzippedSpaces(50);
  assertLess(bomb.length, 64 * 1024);
  const hostile = startRawServer(respondWith(201, bomb, "Content-Encoding: gzip"));
  let decompressed = 0;
  const counting: typeof fetch = async (...request) => {
    const response = await fetch(...request);
    const reader = response.body!.getReader();
    const counted = new ReadableStream<Uint8Array<ArrayBuffer>>({
      type: "bytes",
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) return controller.close();
        decompressed += value.length;
        controller.enqueue(value);
      },
      cancel: () => reader.cancel(),
    });
    return new Response(counted, response);
  };
  try {
    const desk = createRequestTracker({ ...settings, url: hostile.url }, counting);
    const result = await desk.createTicket(supportRequest(), AbortSignal.timeout(LONG_MS));
    assertEquals(withoutTrace(result), failure("desk_unreadable", true));
  } finally {
    await hostile.close();
  }
  assertLess(decompressed, 1024 * 1024);
});

/** Compresses this many megabytes of spaces. */
async function gzippedSpaces(megabytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const megabyte = new Uint8Array(1024 * 1024).fill(0x20);
  let remaining = megabytes;
  const spaces = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      if (remaining-- > 0) controller.enqueue(megabyte);
      else controller.close();
    },
  });
  const packed = spaces.pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}
