/** A desk that hangs, over real sockets: nobody waits longer than the desk timeout. */
import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import type { SupportRequest } from "../../routes/v1/responses.ts";
import { deskEnv } from "../support/constants.ts";
import { FakeClock } from "../support/clock.ts";
import { head, readToEnd, startRawServer, write } from "../support/raw_server.ts";
import { openService } from "../support/service.ts";

/** Five seconds by default. With one, a busy machine uses up the fifth that is left after the wait. */
const DESK_TIMEOUT_MS = Number(Deno.env.get("HANGING_DESK_TIMEOUT_MS") ?? 2500);
const PROBE_INTERVAL_MS = 5_000;
const MAX_CONCURRENCY = 16;
/** For everything else of 200 submissions on a busy machine: 200 commits, on one thread. */
const SLACK_MS = 3_000;

/** A desk that hangs until a test has it respond, and counts its connections. */
function startHangingDesk() {
  let isHanging = true;
  let open = 0;
  let most = 0;
  let tickets = 0;
  const hostile = startRawServer(async (connection) => {
    most = Math.max(most, ++open);
    try {
      if (isHanging) return await readToEnd(connection);
      const body = JSON.stringify({ type: "ticket", id: String(++tickets) });
      await write(connection, head(201, body.length) + body);
    } finally {
      open--;
    }
  });
  return {
    ...hostile,
    mostOpen: () => most,
    tickets: () => tickets,
    respond: () => void (isHanging = false),
  };
}

Deno.test("a desk that hangs delays nobody beyond the desk timeout, and is not flooded", async () => {
  const desk = startHangingDesk();
  const clock = new FakeClock({ now: "real" });
  const service = await openService({
    clock,
    env: {
      ...deskEnv({ url: desk.url }),
      SUPPORT_DESK_TIMEOUT_MS: String(DESK_TIMEOUT_MS),
    },
  });
  let runs = 0;
  const submit = async () => {
    const path = `/v1/tenants/acme/runs/r-${++runs}/support-requests`;
    const started = performance.now();
    const response = await service.call(path, {
      json: { summary: "Anybody there?", handoff: { mode: "create" } },
    });
    const ms = performance.now() - started;
    assertEquals(response.status, 201);
    const request: SupportRequest = await response.json();
    const stored = await service.call(`${path}/latest`);
    assertEquals(
      (await stored.json()).supportRequest,
      request,
      "the response shows what is stored",
    );
    const { handoff } = request;
    return { ms, handoff, outcome: "reason" in handoff ? handoff.reason : handoff.status };
  };
  const submitAll = (count: number) => Promise.all(Array.from({ length: count }, submit));
  const events = () =>
    service.lines.map(({ event }) => event).filter((event) => event?.startsWith("desk_circuit"));

  try {
    const flood = await submitAll(200);
    assertLess(Math.max(...flood.map(({ ms }) => ms)), DESK_TIMEOUT_MS + SLACK_MS);
    const sent = flood.filter(({ outcome }) => outcome === "desk_timeout");
    const unsent = flood.filter(({ outcome }) => outcome === "desk_unavailable");
    assertEquals(sent.length + unsent.length, 200);
    // Each that may have a ticket was sent, and nothing was sent for the others.
    assertEquals([sent.length, desk.requests.length], [MAX_CONCURRENCY, MAX_CONCURRENCY]);
    assertLess(desk.mostOpen(), MAX_CONCURRENCY + 1);
    assert(sent.every(({ handoff }) => "reason" in handoff && handoff.ticketMayExist));
    assert(unsent.every(({ handoff }) => "reason" in handoff && !handoff.ticketMayExist));
    assertEquals(events(), ["desk_circuit_opened"]);

    const fast: number[] = [];
    for (let count = 0; count < 50; count++) {
      const { ms, outcome } = await submit();
      assertEquals(outcome, "desk_unavailable");
      fast.push(ms);
    }
    assertLess(fast.sort((a, b) => a - b)[25]!, 50);
    assertEquals(
      desk.requests.length,
      MAX_CONCURRENCY,
      "nothing is sent while the circuit is open",
    );

    // A probe finds that the desk still hangs: one of many is sent.
    clock.advance(PROBE_INTERVAL_MS);
    const probed = await submitAll(10);
    assertEquals(probed.filter(({ outcome }) => outcome === "desk_timeout").length, 1);
    assertEquals(desk.requests.length, MAX_CONCURRENCY + 1);

    desk.respond();
    clock.advance(PROBE_INTERVAL_MS);
    const back = await submitAll(10);
    assertGreater(back.filter(({ outcome }) => outcome === "created").length, 0);
    assertEquals(events(), ["desk_circuit_opened", "desk_circuit_closed"]);
    const after = await submitAll(100);
    assertEquals(after.map(({ outcome }) => outcome), Array(100).fill("created"));
    const created = [...back, ...after].filter(({ outcome }) => outcome === "created").length;
    assertEquals(desk.tickets(), created, "each ticket belongs to one request");
    assertLess(desk.mostOpen(), MAX_CONCURRENCY + 1);
  } finally {
    await service[Symbol.asyncDispose]();
    await desk.close();
  }
});
