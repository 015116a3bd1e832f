import { assertEquals } from "@std/assert";
import type { CreateTicketResult } from "../../domain/ports/desk.ts";
import {
  type Behavior,
  closeAfter,
  drip,
  head,
  respondWith,
  stallAfter,
  startRawServer,
} from "../support/raw_server.ts";
import { assertCreation, failure, LONG_MS, SHORT_MS } from "./fixtures.ts";

const TIMEOUT = failure("desk_timeout", true);
const LOST = failure("desk_connection_lost", true);
const UNREADABLE = failure("desk_unreadable", true);
const REFUSED = failure("desk_refused_credentials", false);
const REJECTED = failure("desk_rejected", false);

/** One row of the table: what the desk does, and the failure that Deskhand must report. */
function row(
  what: string,
  behavior: Behavior,
  expected: Extract<CreateTicketResult, { outcome: "failed" }>,
  timeoutMs = LONG_MS,
) {
  const { reason, ticketMayExist } = expected.failure;
  const result = `${reason}, ${ticketMayExist ? "a ticket may exist" : "no ticket"}`;
  Deno.test(`a desk that ${what}: ${result}`, async () => {
    const hostile = startRawServer(behavior);
    try {
      await assertCreation(hostile.url, expected, timeoutMs);
      assertEquals(hostile.requests, ["POST /REST/2.0/ticket HTTP/1.1"]);
    } finally {
      await hostile.close();
    }
  });
}

const JSON_TYPE = "Content-Type: application/json; charset=utf-8";

// Timeouts.
row("hangs after the request was sent", stallAfter(""), TIMEOUT, SHORT_MS);
row("stalls in the headers", stallAfter("HTTP/1.1 201 Created\r\nX-A: "), TIMEOUT, SHORT_MS);
row("stalls in the body of a 201", stallAfter(head(201, 100) + '{"id":'), TIMEOUT, SHORT_MS);
row("drips its headers", drip("HTTP/1.1 201 OK\r\nX: ", "x".repeat(2000)), TIMEOUT, SHORT_MS);
row("drips the body of a 201", drip(head(201, 2000), " ".repeat(2000)), TIMEOUT, SHORT_MS);

// Connections that are closed.
row("closes without a response", closeAfter(""), LOST);
row("sends half a status line", closeAfter("HTTP/1.1 20"), LOST);
row("sends garbage for a status line", closeAfter("\x16\x03\x01 nonsense\r\n\r\n"), LOST);
row("ends in the middle of the headers", closeAfter("HTTP/1.1 201 OK\r\nX-A: b\r\n"), LOST);
row("truncates the body of a 201", closeAfter(head(201, 100) + '{"id":"1"}'), LOST);
row(
  "sends a 201 whose gzip is broken",
  respondWith(201, "no gzip", "Content-Encoding: gzip"),
  LOST,
);

// Responses whose status is sufficient, although the body stalls.
row("rejects the token with a stalled body", stallAfter(head(403, 100, JSON_TYPE)), REFUSED);
row("rejects the ticket with a stalled body", stallAfter(head(400, 100)), REJECTED);
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
  row(`responds ${status} as JSON`, respondWith(status, '{"message":"no"}', JSON_TYPE), REFUSED);
  // Request Tracker's own are JSON: others come from a firewall or a sign-on proxy.
  const block = respondWith(status, "<h1>Request blocked</h1>", "Content-Type: text/html");
  row(`has a firewall that responds ${status} with a page`, block, REJECTED);
  row(`has a proxy that responds ${status} with nothing`, respondWith(status), REJECTED);
}
for (const status of [400, 404, 405, 408, 409, 413, 415, 422, 451]) {
  row(`responds ${status}`, respondWith(status, '{"message":"no"}'), REJECTED);
}
row("responds 429", respondWith(429), failure("desk_rate_limited", false));
row("responds 500 itself", respondWith(500), failure("desk_error", true, true));
for (const status of [501, 502, 503, 504, 520, 599]) {
  row(`has a proxy that responds ${status}`, respondWith(status), failure("desk_error", true));
}
row("responds 200 with a proper body", respondWith(200, '{"id":"42"}'), UNREADABLE);
row("responds 200 with HTML", respondWith(200, "<h1>Welcome</h1>"), UNREADABLE);
row("responds 202", respondWith(202, '{"id":"42"}'), UNREADABLE);
row("responds 204", respondWith(204), UNREADABLE);
row("responds 999", respondWith(999, '{"id":"42"}'), UNREADABLE);

// A 201 without a usable ticket number.
row("responds 201 with HTML", respondWith(201, "<p>Created ticket 42"), UNREADABLE);
row("responds 201 with nothing", respondWith(201), UNREADABLE);
row("responds 201 with broken JSON", respondWith(201, '{"id":"42"'), UNREADABLE);
row(
  "responds 201 with invalid UTF-8",
  respondWith(
    201,
    Uint8Array.of(...new TextEncoder().encode('{"id":"42","x":"'), 0xff, 0x22, 0x7d),
  ),
  UNREADABLE,
);
for (const json of ["null", "[]", '"42"', "42", "{}", '[{"id":"42"}]', '{"ID":"42"}']) {
  row(`responds 201 with ${json}`, respondWith(201, json), UNREADABLE);
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
  row(`responds 201 with the id ${id.slice(0, 24)}`, respondWith(201, `{"id":${id}}`), UNREADABLE);
}
row(
  "hides the id in the prototype",
  respondWith(201, '{"__proto__":{"id":"42"}}'),
  UNREADABLE,
);

for (const [what, id, number] of [["a string", '"42"', "42"], ["a number", "42", "42"]] as const) {
  Deno.test(`createRequestTracker accepts a ticket number that is ${what}`, async () => {
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

Deno.test("createRequestTracker accepts a slow response that arrives in time", async () => {
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
