import { assert, assertEquals, assertLess } from "@std/assert";
import { createRequestTracker } from "../../desk/request_tracker.ts";
import type { FailureReason } from "../../domain/model/failure.ts";
import type { CreateTicketResult, Responsiveness } from "../../domain/ports/desk.ts";
import { settings } from "./fixtures.ts";
import {
  type Behavior,
  closeAfter,
  drip,
  head,
  respondWith,
  stallAfter,
  startRawServer,
  startResettingServer,
  write,
} from "../support/raw_server.ts";
import { supportRequest } from "../support/records.ts";

const SHORT_MS = 200;
/** Far more than a local answer takes: a row that needs it has failed to end by itself. */
const LONG_MS = 5000;

/** What shows that the desk is alive, or hangs: any response at all, or none in time. */
const CONTACTS: Partial<Record<FailureReason, Responsiveness | undefined>> = {
  desk_timeout: "timed_out",
  desk_connection_lost: undefined,
  desk_unreachable: undefined,
};

function failure(
  reason: FailureReason,
  ticketMayExist: boolean,
  respondedByDesk = false,
): Extract<CreateTicketResult, { outcome: "failed" }> {
  const responsiveness = reason in CONTACTS ? CONTACTS[reason] : "responded";
  return {
    outcome: "failed",
    failure: { reason, ticketMayExist },
    respondedByDesk,
    responsiveness,
  };
}

const TIMEOUT = failure("desk_timeout", true);
const LOST = failure("desk_connection_lost", true);
const UNREADABLE = failure("desk_unreadable", true);
const UNREACHABLE = failure("desk_unreachable", false);
const REFUSED = failure("desk_refused_credentials", false);
const REJECTED = failure("desk_rejected", false);

/** Creates a ticket at `url` and checks that it ended within the signal and as expected. */
async function assertCreation(url: string, expected: CreateTicketResult, milliseconds: number) {
  const desk = createRequestTracker({ ...settings, url }, fetch);
  const start = performance.now();
  const creation = await desk.createTicket(supportRequest(), AbortSignal.timeout(milliseconds));
  const elapsed = performance.now() - start;
  assertEquals(withoutTrace(creation), expected);
  // A second of grace: a timer is late on a busy machine.
  assertLess(elapsed, milliseconds === LONG_MS ? LONG_MS - 1000 : milliseconds + 1000);
}

/** What people are told, without what only operators are. */
function withoutTrace(creation: CreateTicketResult): CreateTicketResult {
  if (creation.outcome === "created") return creation;
  const { trace: _, ...rest } = creation;
  return rest;
}

/** One row of the table: what the desk does, and what the person must be told. */
function row(
  what: string,
  behaviour: Behavior,
  expected: Extract<CreateTicketResult, { outcome: "failed" }>,
  milliseconds = LONG_MS,
) {
  const { reason, ticketMayExist } = expected.failure;
  const promise = `says ${reason}, ${ticketMayExist ? "a ticket may exist" : "no ticket"},`;
  Deno.test(`createRequestTracker ${promise} when the desk ${what}`, async () => {
    const hostile = startRawServer(behaviour);
    try {
      await assertCreation(hostile.url, expected, milliseconds);
      assertEquals(hostile.requests, ["POST /REST/2.0/ticket HTTP/1.1"]);
    } finally {
      await hostile.close();
    }
  });
}

const JSON_TYPE = "Content-Type: application/json; charset=utf-8";

// Silence, and time that runs out.
row("hangs after the request was sent", stallAfter(""), TIMEOUT, SHORT_MS);
row("stalls in the headers", stallAfter("HTTP/1.1 201 Created\r\nX-A: "), TIMEOUT, SHORT_MS);
row("stalls in the body of a 201", stallAfter(head(201, 100) + '{"id":'), TIMEOUT, SHORT_MS);
row("drips its headers", drip("HTTP/1.1 201 OK\r\nX: ", "x".repeat(2000)), TIMEOUT, SHORT_MS);
row("drips the body of a 201", drip(head(201, 2000), " ".repeat(2000)), TIMEOUT, SHORT_MS);

// Connections that end.
row("closes without an answer", closeAfter(""), LOST);
row("sends half a status line", closeAfter("HTTP/1.1 20"), LOST);
row("sends garbage for a status line", closeAfter("\x16\x03\x01 nonsense\r\n\r\n"), LOST);
row("ends in the middle of the headers", closeAfter("HTTP/1.1 201 OK\r\nX-A: b\r\n"), LOST);
row("truncates the body of a 201", closeAfter(head(201, 100) + '{"id":"1"}'), LOST);
row(
  "sends a 201 whose gzip is broken",
  respondWith(201, "no gzip", "Content-Encoding: gzip"),
  LOST,
);

// Answers whose status says it all, though the body stalls.
row("refuses with a stalled body", stallAfter(head(403, 100, JSON_TYPE)), REFUSED);
row("rejects with a stalled body", stallAfter(head(400, 100)), REJECTED);
row("fails with a stalled body", stallAfter(head(500, 9)), failure("desk_error", true, true));

// Statuses.
for (const status of [301, 302, 303, 307, 308]) {
  row(
    `redirects to its login page with ${status}`,
    respondWith(status, "", "Location: /NoAuth/Login.html"),
    REFUSED,
  );
}
for (const status of [401, 403]) {
  row(`answers ${status} as JSON`, respondWith(status, '{"message":"no"}', JSON_TYPE), REFUSED);
  // Request Tracker's own are JSON: this is a firewall, or a sign-on proxy.
  const block = respondWith(status, "<h1>Request blocked</h1>", "Content-Type: text/html");
  row(`has a firewall that answers ${status} with a page`, block, REJECTED);
  row(`has a proxy that answers ${status} with nothing`, respondWith(status), REJECTED);
}
for (const status of [400, 404, 405, 408, 409, 413, 415, 422, 451]) {
  row(`answers ${status}`, respondWith(status, '{"message":"no"}'), REJECTED);
}
row("answers 429", respondWith(429), failure("desk_rate_limited", false));
row("answers 500 itself", respondWith(500), failure("desk_error", true, true));
for (const status of [501, 502, 503, 504, 520, 599]) {
  row(`has a proxy that answers ${status}`, respondWith(status), failure("desk_error", true));
}
row("answers 200 with a proper body", respondWith(200, '{"id":"42"}'), UNREADABLE);
row("answers 200 with HTML", respondWith(200, "<h1>Welcome</h1>"), UNREADABLE);
row("answers 202", respondWith(202, '{"id":"42"}'), UNREADABLE);
row("answers 204", respondWith(204), UNREADABLE);
row("answers 999", respondWith(999, '{"id":"42"}'), UNREADABLE);

// A 201 that says nothing usable.
row("answers 201 with HTML", respondWith(201, "<p>Made ticket 42"), UNREADABLE);
row("answers 201 with nothing", respondWith(201), UNREADABLE);
row("answers 201 with broken JSON", respondWith(201, '{"id":"42"'), UNREADABLE);
row(
  "answers 201 with invalid UTF-8",
  respondWith(
    201,
    Uint8Array.of(...new TextEncoder().encode('{"id":"42","x":"'), 0xff, 0x22, 0x7d),
  ),
  UNREADABLE,
);
for (const json of ["null", "[]", '"42"', "42", "{}", '[{"id":"42"}]', '{"ID":"42"}']) {
  row(`answers 201 with ${json}`, respondWith(201, json), UNREADABLE);
}
const HOSTILE_IDS = [
  '"1; DROP"',
  '"../../x"',
  '"42?x=1"',
  '"42\\n"',
  '" 42"',
  '""',
  '"0"',
  '"01"',
  '"-1"',
  '"1e9"',
  '"0x2a"',
  '"٤٢"',
  '"1152921504606846976"',
  `"${"9".repeat(400)}"`,
  '"__proto__"',
  "-1",
  "0",
  "1.5",
  "1e400",
  "1152921504606846976",
  "9".repeat(400),
  '{"id":"42"}',
  '["42"]',
  "true",
  "null",
];
for (const id of HOSTILE_IDS) {
  row(`answers 201 with the id ${id.slice(0, 24)}`, respondWith(201, `{"id":${id}}`), UNREADABLE);
}
row(
  "hides the id in the prototype",
  respondWith(201, '{"__proto__":{"id":"42"}}'),
  UNREADABLE,
);

for (const [what, id, number] of [["a string", '"42"', "42"], ["a number", "42", "42"]] as const) {
  Deno.test(`createRequestTracker takes a ticket number that is ${what}`, async () => {
    const hostile = startRawServer(respondWith(201, `{"type":"ticket","id":${id}}`));
    const url = `${hostile.url}/Ticket/Display.html?id=${number}`;
    try {
      await assertCreation(
        hostile.url,
        { outcome: "created", ticket: { reference: number, url } },
        LONG_MS,
      );
    } finally {
      await hostile.close();
    }
  });
}

Deno.test("createRequestTracker takes a slow answer that comes in time", async () => {
  const json = '{"id":"42"}';
  const hostile = startRawServer(drip(head(201, json.length), json));
  const url = `${hostile.url}/Ticket/Display.html?id=42`;
  try {
    const expected: CreateTicketResult = { outcome: "created", ticket: { reference: "42", url } };
    await assertCreation(hostile.url, expected, LONG_MS);
  } finally {
    await hostile.close();
  }
});

Deno.test("createRequestTracker says that a ticket may exist when the desk resets", async () => {
  const hostile = await startResettingServer();
  try {
    await assertCreation(hostile.url, LOST, LONG_MS);
  } finally {
    await hostile.close();
  }
});

const MEGABYTE = 1024 * 1024;
const LONG_BODIES: [string, string, string][] = [
  ["a 201 of 30 MB", head(201, 30 * MEGABYTE), " ".repeat(MEGABYTE)],
  [
    "a 201 of 30 MB in chunks that is said to be short",
    head(201, 11, "Transfer-Encoding: chunked"),
    `${MEGABYTE.toString(16)}\r\n${" ".repeat(MEGABYTE)}\r\n`,
  ],
];
for (const [what, start, piece] of LONG_BODIES) {
  Deno.test(`createRequestTracker stops reading ${what}`, async () => {
    const bytes = new TextEncoder().encode(piece);
    let sent = 0;
    const hostile = startRawServer(async (connection) => {
      await write(connection, start);
      for (; sent < 30; sent++) await write(connection, bytes);
    });
    try {
      await assertCreation(hostile.url, UNREADABLE, LONG_MS);
    } finally {
      await hostile.close();
    }
    // What the kernel buffered on the way counts as sent.
    assertLess(sent, 20);
  });
}

Deno.test("createRequestTracker reads little of a gzip bomb of 50 MB that is sent as a short body", async () => {
  const bomb = await gzipped(50);
  assertLess(bomb.length, 64 * 1024);
  const hostile = startRawServer(respondWith(201, bomb, "Content-Encoding: gzip"));
  let unpacked = 0;
  const counting: typeof fetch = async (...request) => {
    const answer = await fetch(...request);
    const reader = answer.body!.getReader();
    const counted = new ReadableStream<Uint8Array<ArrayBuffer>>({
      type: "bytes",
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) return controller.close();
        unpacked += value.length;
        controller.enqueue(value);
      },
      cancel: () => reader.cancel(),
    });
    return new Response(counted, answer);
  };
  try {
    const desk = createRequestTracker({ ...settings, url: hostile.url }, counting);
    const creation = await desk.createTicket(supportRequest(), AbortSignal.timeout(LONG_MS));
    assertEquals(withoutTrace(creation), UNREADABLE);
  } finally {
    await hostile.close();
  }
  assertLess(unpacked, 1024 * 1024);
});

Deno.test("createRequestTracker says that no ticket was made when the port is closed", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  await assertCreation(`http://127.0.0.1:${listener.addr.port}`, UNREACHABLE, LONG_MS);
});

Deno.test("createRequestTracker says that no ticket was made when the name is unknown", () =>
  assertCreation("http://nonexistent.invalid", UNREACHABLE, LONG_MS));

Deno.test("createRequestTracker says that no ticket was made when the runtime blocks the port", () =>
  assertCreation("http://127.0.0.1:6000", UNREACHABLE, LONG_MS));

Deno.test("createRequestTracker sends no token to a desk that cannot speak TLS", async () => {
  const hostile = startRawServer(respondWith(400));
  try {
    await assertCreation(hostile.url.replace("http:", "https:"), UNREACHABLE, LONG_MS);
    assert(hostile.requests.every((received) => !received.includes(settings.token)));
  } finally {
    await hostile.close();
  }
});

Deno.test({
  name: "createRequestTracker says that no ticket was made when --allow-net lacks the desk",
  permissions: { net: ["127.0.0.1:1"] },
  fn: () => assertCreation("http://127.0.0.1:2", UNREACHABLE, LONG_MS),
});

Deno.test("createRequestTracker sends nothing when the time is already over", async () => {
  const hostile = startRawServer(respondWith(201, '{"id":"42"}'));
  const desk = createRequestTracker({ ...settings, url: hostile.url }, fetch);
  try {
    const creation = await desk.createTicket(supportRequest(), AbortSignal.abort());
    // No responsiveness: nothing was sent, so nothing is known of the desk.
    const expected = { ...failure("desk_timeout", false), responsiveness: undefined };
    assertEquals(withoutTrace(creation), expected);
    assertEquals(await desk.findTicket(supportRequest(), AbortSignal.abort()), {
      outcome: "unclear",
      responsiveness: undefined,
      trace: undefined,
    });
  } finally {
    await hostile.close();
  }
  assertEquals(hostile.requests, []);
});

/** So many megabytes of spaces. */
async function gzipped(megabytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const megabyte = new Uint8Array(1024 * 1024).fill(0x20);
  let left = megabytes;
  const spaces = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      if (left-- > 0) controller.enqueue(megabyte);
      else controller.close();
    },
  });
  const packed = spaces.pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}
