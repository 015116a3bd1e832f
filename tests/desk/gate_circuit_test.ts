/** The gate while its circuit is open. */
import { assertEquals } from "@std/assert";
import { toCreateFailure } from "../../desk/failures.ts";
import type { CreateTicketResult, DeskCalls, FindTicketResult } from "../../domain/ports/desk.ts";
import {
  CREATED,
  idle,
  INTERVAL_MS,
  openGate,
  REJECTED,
  REJECTS,
  REQUEST,
  SIGNAL,
  TICKET,
  TIMED_OUT,
  WAIT_MS,
} from "./gate_fixtures.ts";

Deno.test("a gate rejects handoffs immediately after five consecutive timeouts", async () => {
  const test = openGate(2);
  await test.open();
  assertEquals(await test.create(), REJECTED);
  assertEquals([test.calls.length, test.events()], [5, ["error desk_circuit_opened"]]);
});

Deno.test("a gate rejects queued handoffs when the circuit opens", async () => {
  const test = openGate(5);
  const inFlight = Array.from({ length: 5 }, test.create);
  const waiting = Array.from({ length: 7 }, test.create);
  await idle();
  for (let count = 0; count < 5; count++) await test.end(TIMED_OUT);
  // The first four timeouts passed their slots on; nothing else is admitted.
  assertEquals(await Promise.all(waiting.slice(4)), [REJECTED, REJECTED, REJECTED]);
  assertEquals(test.calls.length, 9);
  for (let count = 0; count < 4; count++) await test.end(TIMED_OUT);
  await Promise.all([...inFlight, ...waiting]);
  assertEquals(test.events(), ["error desk_circuit_opened"]);
});

Deno.test("a probe with any response closes the circuit", async () => {
  for (
    const response of [CREATED, REJECTS, toCreateFailure({ outcome: "unreadable", status: 201 })]
  ) {
    const test = openGate(2);
    await test.open();
    test.clock.advance(INTERVAL_MS);
    const probe = test.create();
    assertEquals(await test.create(), REJECTED);
    await idle();
    await test.end(response);
    assertEquals(await probe, { outcome: "admitted", result: response });
    const others = [test.create(), test.create()];
    await idle();
    await test.end(CREATED);
    await test.end(CREATED);
    assertEquals((await Promise.all(others)).map(({ outcome }) => outcome), [
      "admitted",
      "admitted",
    ]);
    assertEquals(test.events(), ["error desk_circuit_opened", "info desk_circuit_closed"]);
  }
});

const PROBES: Record<
  string,
  (calls: DeskCalls, end: (creation: CreateTicketResult) => void) => unknown
> = {
  "times out": (calls, end) => {
    const call = calls.createTicket(REQUEST, SIGNAL);
    end(TIMED_OUT);
    return call;
  },
  "cannot connect": (calls, end) => {
    const call = calls.createTicket(REQUEST, SIGNAL);
    end(toCreateFailure({ outcome: "not_sent", phase: "connect" }));
    return call;
  },
  "loses its connection": (calls, end) => {
    const call = calls.createTicket(REQUEST, SIGNAL);
    end(toCreateFailure({ outcome: "connection_lost", phase: "request" }));
    return call;
  },
  "makes no call": () => {},
  "throws": () => Promise.reject(new Error("a bug")),
};
for (const [what, work] of Object.entries(PROBES)) {
  Deno.test(`a probe that ${what} leaves the circuit open until the next one`, async () => {
    const test = openGate(1);
    await test.open();
    test.clock.advance(INTERVAL_MS);
    await test.gate.admit(WAIT_MS, async (calls) => await work(calls, test.end)).catch(() => {});
    assertEquals(await test.create(), REJECTED);
    test.clock.advance(INTERVAL_MS);
    const next = test.create();
    await idle();
    await test.end(CREATED);
    assertEquals((await next).outcome, "admitted");
    assertEquals(test.events(), ["error desk_circuit_opened", "info desk_circuit_closed"]);
  });
}

Deno.test("a lookup that times out counts, and one with a response closes the circuit", async () => {
  const test = openGate(1);
  let lookup: FindTicketResult = { outcome: "unclear", responsiveness: "timed_out" };
  test.desk.findTicket = () => Promise.resolve(lookup);
  const find = () => test.gate.admit(WAIT_MS, (calls) => calls.findTicket(REQUEST, SIGNAL));
  for (let count = 0; count < 5; count++) await find();
  assertEquals(await find(), REJECTED);
  lookup = { outcome: "absent" };
  test.clock.advance(INTERVAL_MS);
  assertEquals(await find(), { outcome: "admitted", result: lookup });
  assertEquals((await find()).outcome, "admitted");
});

Deno.test("a desk that cannot be reached opens no circuit", async () => {
  const test = openGate(1);
  for (let count = 0; count < 10; count++) {
    const handoff = test.create();
    await idle();
    await test.end(toCreateFailure({ outcome: "not_sent", phase: "connect" }));
    assertEquals((await handoff).outcome, "admitted");
  }
  assertEquals(test.events(), []);
});

Deno.test("a gate resolves tickets while the circuit is open", async () => {
  const test = openGate(1);
  await test.open();
  assertEquals([test.gate.label, test.gate.resolveTicket("42")], ["Desk", TICKET]);
});
