import { assert, assertEquals } from "@std/assert";
import type { Store } from "../../../domain/ports/store.ts";
import { noopTelemetry, type SpanOutcome } from "../../../domain/ports/telemetry.ts";
import {
  ask,
  createdAs,
  failedWith,
  foundAs,
  interrupt,
  openDeskhand,
  requestOf,
  ScriptedDesk,
} from "../fixtures.ts";
import { ACME } from "../../support/constants.ts";

type Test = Awaited<ReturnType<typeof openDeskhand>>;

/** The last log line, without what is the same in all of them. */
function lastLine({ lines }: Test) {
  const { message: _, requestId: __, tenantId: ___, ...line } = lines.at(-1)!;
  return line;
}

/** A desk whose calls take so long, by the clock of the test that it is given to. */
function slowDesk(milliseconds: number, ...results: ConstructorParameters<typeof ScriptedDesk>) {
  const desk = new ScriptedDesk(...results);
  const { onCreate, onFind } = desk;
  let test: Test | undefined;
  const pass = () => void (test!.clock.advance(milliseconds));
  desk.onCreate = (...call) => (pass(), onCreate(...call));
  desk.onFind = (...call) => (pass(), onFind(...call));
  return { desk, of: (opened: Test) => void (test = opened) };
}

Deno.test("a handoff that failed is one warning with its reason, phase, status and time", async () => {
  const trace = { phase: "response", deskStatus: 403 } as const;
  const failure = failedWith({ reason: "desk_rejected", ticketMayExist: false });
  const slow = slowDesk(1234.6, { ...failure, trace } as typeof failure);
  using test = await openDeskhand({ desk: slow.desk });
  slow.of(test);
  const { reference } = requestOf(await ask(test.deps));
  assertEquals(lastLine(test), {
    level: "warn",
    event: "handoff_failed",
    reference,
    reason: "desk_rejected",
    deskMs: 1235,
    phase: "response",
    deskStatus: 403,
  });
});

Deno.test("a handoff whose creation and lookup fail is logged with where the creation ended", async () => {
  const failure = { ...failedWith(), trace: { phase: "request" as const } };
  const desk = new ScriptedDesk(failure, {
    outcome: "unclear",
    trace: { phase: "search", deskStatus: 500 },
  });
  using test = await openDeskhand({ desk });
  await ask(test.deps);
  const { phase, deskStatus } = lastLine(test);
  assertEquals([phase, deskStatus], ["request", undefined]);
});

Deno.test("a handoff that came to a ticket is one line with its number and time", async () => {
  const slow = slowDesk(310.2, createdAs("42"));
  using test = await openDeskhand({ desk: slow.desk });
  slow.of(test);
  const { reference } = requestOf(await ask(test.deps));
  assertEquals(lastLine(test), {
    level: "info",
    event: "handoff_created",
    reference,
    reason: "created",
    ticket: "42",
    deskMs: 310,
  });
});

Deno.test("a resume without a clear response is one warning that the handoff is left pending", async () => {
  const slow = slowDesk(700, createdAs("43"), {
    outcome: "unclear",
    trace: { phase: "search", deskStatus: 502 },
  });
  using test = await openDeskhand({ desk: slow.desk });
  slow.of(test);
  const { reference } = await interrupt(test, "k-1");
  await ask(test.deps, { key: "k-1" });
  assertEquals(lastLine(test), {
    level: "warn",
    event: "handoff_left_pending",
    reference,
    reason: "unclear",
    phase: "search",
    deskStatus: 502,
    deskMs: 700,
  });
});

Deno.test("a handoff that a slow store leaves no time for is left pending, with a warning", async () => {
  const desk = new ScriptedDesk();
  using test = await openDeskhand({ desk });
  const slow: Store = {
    ...test.store,
    async append(...args) {
      const appended = await test.store.append(...args);
      test.clock.advance(5_001);
      return appended;
    },
  };
  const { reference, handoff } = requestOf(await ask({ ...test.deps, store: slow }));
  assertEquals([handoff.status, desk.asked], ["pending", []]);
  assertEquals(lastLine(test), {
    level: "warn",
    event: "handoff_left_pending",
    reference,
    reason: "store_slow",
  });
});

/** A desk that lets no handoff through. */
class ClosedDesk extends ScriptedDesk {
  waits: number[] = [];
  override admit(waitMs: number) {
    this.waits.push(waitMs);
    return Promise.resolve({ outcome: "rejected" } as const);
  }
}

Deno.test("a submission that is not let through fails clearly: no ticket exists", async () => {
  const desk = new ClosedDesk();
  using test = await openDeskhand({ desk });
  const { reference, handoff } = requestOf(await ask(test.deps));
  assert(handoff.status === "failed");
  assertEquals([handoff.reason, handoff.ticketMayExist], ["desk_unavailable", false]);
  assertEquals((await test.store.latest(ACME))?.request.handoff, handoff);
  assertEquals(desk.asked, []);
  // The rest of its five seconds would have been the desk's.
  assertEquals(desk.waits, [4_000]);
  assertEquals(lastLine(test), {
    level: "warn",
    event: "handoff_failed",
    reference,
    reason: "desk_unavailable",
    deskMs: 0,
  });
});

Deno.test("a resume that is not let through leaves the handoff as unclear as it was", async () => {
  const open = new ScriptedDesk(createdAs("43"), foundAs("42"));
  using test = await openDeskhand({ desk: open });
  const { reference } = await interrupt(test, "k-1");
  const before = await test.changes();
  const closed = { ...test.deps, desk: new ClosedDesk() };
  const { handoff } = requestOf(await ask(closed, { key: "k-1" }));
  assert(handoff.status === "failed");
  assertEquals([handoff.reason, handoff.ticketMayExist], ["interrupted", true]);
  assertEquals(await test.changes(), before);
  assertEquals(lastLine(test), {
    level: "warn",
    event: "handoff_left_pending",
    reference,
    reason: "desk_unavailable",
    deskMs: 0,
  });
  // Once the desk is back, the same call finds the ticket.
  const resumed = requestOf(await ask(test.deps, { key: "k-1" })).handoff;
  assert(resumed.status === "created");
  assertEquals(resumed.ticket.reference, "42");
});

Deno.test("a submission whose time was over before it was let through stays pending", async () => {
  using test = await openDeskhand({ desk: new ClosedDesk() });
  test.clock.deadline = () => AbortSignal.abort();
  const { handoff } = requestOf(await ask(test.deps));
  assertEquals(handoff.status, "pending");
  assertEquals((await test.store.latest(ACME))?.request.handoff.status, "pending");
});

for (const turn of ["comes", "does not come"]) {
  Deno.test(`a process paused until its turn ${turn} sends nothing and does not say so`, async () => {
    const desk = new ScriptedDesk();
    using test = await openDeskhand({ desk });
    const admit = desk.admit.bind(desk);
    // The signal's timer has not fired yet: timers fire in the order of their times.
    desk.admit = (waitMs, work) => {
      test.clock.advance(60_000);
      return turn === "comes" ? admit(waitMs, work) : Promise.resolve({ outcome: "rejected" });
    };
    const { handoff } = requestOf(await ask(test.deps));
    assertEquals([handoff.status, desk.asked], ["pending", []]);
    assertEquals((await test.store.latest(ACME))?.request.handoff.status, "pending");
  });
}

Deno.test("telemetry calls a handoff by the reason that the log has", async () => {
  const outcomes: SpanOutcome[] = [];
  const telemetry: typeof noopTelemetry = {
    ...noopTelemetry,
    async withSpan(operation, work, outcomeOf = () => ({ outcome: "ok" })) {
      const result = await work();
      if (operation === "desk.handoff") outcomes.push(outcomeOf(result));
      return result;
    },
  };
  const desks = [new ScriptedDesk(), new ScriptedDesk(failedWith()), new ClosedDesk()];
  for (const desk of desks) {
    using test = await openDeskhand({ desk });
    await ask({ ...test.deps, telemetry });
  }
  assertEquals(outcomes.map(({ outcome }) => outcome), [
    "created",
    "desk_timeout",
    "desk_unavailable",
  ]);
});
