/** A desk that cannot be reached, and one that resets the connection. */
import { assert, assertEquals } from "@std/assert";
import { createRequestTracker } from "../../desk/request_tracker.ts";
import {
  freePort,
  respondWith,
  startRawServer,
  startResettingServer,
} from "../support/raw_server.ts";
import { supportRequest } from "../support/records.ts";
import { assertCreation, failure, LONG_MS, settings, withoutTrace } from "./fixtures.ts";

const LOST = failure("desk_connection_lost", true);
const UNREACHABLE = failure("desk_unreachable", false);

Deno.test("no ticket exists if the desk's port is closed", async () => {
  await assertCreation(`http://127.0.0.1:${freePort()}`, UNREACHABLE, LONG_MS);
});

Deno.test("no ticket exists if the desk's name is unknown", () =>
  assertCreation("http://nonexistent.invalid", UNREACHABLE, LONG_MS));

Deno.test("no ticket exists if Deno blocks the desk's port", () =>
  assertCreation("http://127.0.0.1:6000", UNREACHABLE, LONG_MS));

Deno.test("no token is sent to a desk that does not speak TLS", async () => {
  const hostile = startRawServer(respondWith(400));
  try {
    await assertCreation(hostile.url.replace("http:", "https:"), UNREACHABLE, LONG_MS);
    assert(hostile.requests.every((received) => !received.includes(settings.token)));
  } finally {
    await hostile.close();
  }
});

Deno.test({
  name: "no ticket exists if --allow-net does not include the desk",
  permissions: { net: ["127.0.0.1:1"] },
  fn: () => assertCreation("http://127.0.0.1:2", UNREACHABLE, LONG_MS),
});

Deno.test("nothing is sent if the timeout has already expired", async () => {
  const hostile = startRawServer(respondWith(201, '{"id":"42"}'));
  const desk = createRequestTracker({ ...settings, url: hostile.url }, fetch);
  try {
    const result = await desk.createTicket(supportRequest(), AbortSignal.abort());
    // Nothing was sent, so nothing is known about the desk.
    const expected = { ...failure("desk_timeout", false), responsiveness: undefined };
    assertEquals(withoutTrace(result), expected);
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

Deno.test("a ticket may exist if the desk resets the connection", async () => {
  const hostile = await startResettingServer();
  try {
    await assertCreation(hostile.url, LOST, LONG_MS);
  } finally {
    await hostile.close();
  }
});
