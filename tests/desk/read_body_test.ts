import { assertEquals, assertLess } from "@std/assert";
import { createRequestTracker } from "../../desk/request_tracker.ts";
import type { CreateTicketResult } from "../../domain/ports/desk.ts";
import { settings } from "./fixtures.ts";
import { type Behavior, head, startRawServer, write } from "../support/raw_server.ts";
import { supportRequest } from "../support/records.ts";

const CREATED = '{"type":"ticket","id":"42"}';
const MAX_BYTES = 64 * 1024;
const CHUNKED = "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n";
const MEGABYTE = 1024 * 1024;

/** What a creation comes to at a desk that behaves so: the number of the ticket, or the reason. */
async function created(behaviour: Behavior, count = 1): Promise<string[]> {
  const hostile = startRawServer(behaviour);
  const desk = createRequestTracker({ ...settings, url: hostile.url }, fetch);
  const create = () => desk.createTicket(supportRequest(), AbortSignal.timeout(5000));
  const said = (creation: CreateTicketResult) =>
    creation.outcome === "created" ? creation.ticket.reference : creation.failure.reason;
  try {
    return (await Promise.all(Array.from({ length: count }, create))).map(said);
  } finally {
    await hostile.close();
  }
}

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

/** A good body of this length, which a single read does not bring. */
function padded(length: number): string {
  return CREATED.padEnd(length);
}

/** Writes pieces one after the other, so that each is read by itself. */
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

Deno.test("a good response in pieces is a ticket, with a length and in chunks", async () => {
  const pieces = [CREATED.slice(0, 5), CREATED.slice(5, 6), CREATED.slice(6)];
  assertEquals(await created(inPieces(head(201, CREATED.length), pieces)), ["42"]);
  assertEquals(await created(inPieces(CHUNKED, [...pieces.map(chunk), chunk("")])), ["42"]);
});

Deno.test("a good response without a length is a ticket when the desk closes", async () => {
  const start = "HTTP/1.1 201 Created\r\nConnection: close\r\n\r\n";
  assertEquals(await created((connection) => write(connection, start + CREATED)), ["42"]);
});

Deno.test("a good response that is gzipped is a ticket", async () => {
  const bytes = await gzipped(padded(MAX_BYTES));
  const start = head(201, bytes.length, "Content-Encoding: gzip");
  assertEquals(await created(inPieces(start, [bytes.subarray(0, 20), bytes.subarray(20)])), ["42"]);
});

for (const [length, outcome] of [[MAX_BYTES, "42"], [MAX_BYTES + 1, "desk_unreadable"]] as const) {
  Deno.test(`a response of ${length} bytes is ${outcome}, however it comes`, async () => {
    const body = padded(length);
    const packed = await gzipped(body);
    const gzip = head(201, packed.length, "Content-Encoding: gzip");
    const closing = "HTTP/1.1 201 Created\r\nConnection: close\r\n\r\n";
    for (
      const behaviour of [
        inPieces(head(201, length), [body]),
        inPieces(CHUNKED, [chunk(body.slice(0, 1000)), chunk(body.slice(1000)), chunk("")]),
        inPieces(closing, [body]),
        inPieces(gzip, [packed]),
      ]
    ) assertEquals(await created(behaviour), [outcome]);
  });
}

Deno.test("a response of 30 MB without a length is unreadable, and is not read on", async () => {
  let sent = 0;
  const outcome = await created(async (connection) => {
    await write(connection, "HTTP/1.1 201 Created\r\nConnection: close\r\n\r\n");
    const megabyte = new Uint8Array(MEGABYTE).fill(0x20);
    for (; sent < 30; sent++) await write(connection, megabyte);
  });
  assertEquals(outcome, ["desk_unreadable"]);
  // What the kernel buffered on the way counts as sent.
  assertLess(sent, 20);
});

Deno.test("a response of 351 KB in single bytes takes no memory and ends soon", async () => {
  const single = chunk(" ").repeat(1000);
  const behaviour: Behavior = async (connection) => {
    await write(connection, CHUNKED);
    for (let sent = 0; sent < 351; sent++) await write(connection, single);
    await write(connection, chunk(""));
  };
  // What the first one takes is code, which every later one shares.
  await created(behaviour);
  const before = Deno.memoryUsage().rss;
  let most = before;
  const watch = setInterval(() => most = Math.max(most, Deno.memoryUsage().rss), 5);
  const started = performance.now();
  try {
    assertEquals(await created(behaviour, 5), Array(5).fill("desk_unreadable"));
  } finally {
    clearInterval(watch);
  }
  most = Math.max(most, Deno.memoryUsage().rss);
  assertLess((most - before) / MEGABYTE, 30);
  assertLess(performance.now() - started, 5000);
});
