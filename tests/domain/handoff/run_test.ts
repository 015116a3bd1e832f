import { assert, assertEquals } from "@std/assert";
import type { Store } from "../../../domain/ports/store.ts";
import { noopTelemetry, type SpanOutcome } from "../../../domain/ports/telemetry.ts";
import {
  crashDuringHandoff,
  createdAs,
  failedWith,
  foundAs,
  openTestDependencies,
  ScriptedDesk,
  submitRequest,
  submittedRequest,
} from "../fixtures.ts";
import { toDeadline } from "../../support/clock.ts";
import { ACME } from "../../support/constants.ts";

type Test = Awaited<ReturnType<typeof openTestDependencies>>;

/** Returns the last log line without the fields that all lines have. */
function lastLine({ lines }: Test) {
  const { message: _, requestId: __, tenantId: ___, ...line } = lines.at(-1)!;
  return line;
}

/** Lets the clock of the test advance with each call to the desk. */
function slowDown({ clock }: Test, desk: ScriptedDesk, milliseconds: number): void {
  const { onCreate, onFind } = desk;
  desk.onCreate = (...call) => (clock.advance(milliseconds), onCreate(...call));
  desk.onFind = (...call) => (clock.advance(milliseconds), onFind(...call));
}

Deno.test("a failed handoff is one warning with its reason, phase, status and time", async () => {
  const trace = { phase: "response", deskStatus: 403 } as const;
  const failure = failedWith({ reason: "desk_rejected", ticketMayExist: false });
  const desk = new ScriptedDesk({ ...failure, trace } as typeof failure);
  using test = await openTestDependencies({ desk });
  slowDown(test, desk, 1234.6);
  const { reference } = submittedRequest(await submitRequest(test.deps));
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

Deno.test("a handoff whose creation and lookup fail is logged with the creation's phase", async () => {
  const failure = { ...failedWith(), trace: { phase: "request" as const } };
  const desk = new ScriptedDesk(failure, {
    outcome: "unclear",
    trace: { phase: "search", deskStatus: 500 },
  });
  using test = await openTestDependencies({ desk });
  await submitRequest(test.deps);
  const { phase, deskStatus } = lastLine(test);
  assertEquals([phase, deskStatus], ["request", undefined]);
});

Deno.test("a successful handoff is one line with its ticket number and time", async () => {
  const desk = new ScriptedDesk(createdAs("42"));
  using test = await openTestDependencies({ desk });
  slowDown(test, desk, 310.2);
  const { reference } = submittedRequest(await submitRequest(test.deps));
  assertEquals(lastLine(test), {
    level: "info",
    event: "handoff_created",
    reference,
    ticket: "42",
    deskMs: 310,
  });
});

Deno.test("a resume without a clear response is one warning that the handoff is pending", async () => {
  const desk = new ScriptedDesk(createdAs("43"), {
    outcome: "unclear",
    trace: { phase: "search", deskStatus: 502 },
  });
  using test = await openTestDependencies({ desk });
  slowDown(test, desk, 700);
  const { reference } = await crashDuringHandoff(test, "k-1");
  await submitRequest(test.deps, { key: "k-1" });
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

Deno.test("a handoff for which a slow store leaves no time stays pending, with a warning", async () => {
  const desk = new ScriptedDesk();
  using test = await openTestDependencies({ desk });
  const slow: Store = {
    ...test.store,
    async append(...args) {
      const appended = await test.store.append(...args);
      test.clock.advance(5_001);
      return appended;
    },
  };
  const { reference, handoff } = submittedRequest(
    await submitRequest({ ...test.deps, store: slow }),
  );
  assertEquals([handoff.status, desk.calls], ["pending", []]);
  assertEquals(lastLine(test), {
    level: "warn",
    event: "handoff_left_pending",
    reference,
    reason: "store_slow",
  });
});

/** A desk that admits no handoff. */
class ClosedDesk extends ScriptedDesk {
  waits: number[] = [];
  override admit(waitMs: number) {
    this.waits.push(waitMs);
    return Promise.resolve({ outcome: "rejected" } as const);
  }
}

Deno.test("a submission that is not admitted to the desk fails: no ticket exists", async () => {
  const desk = new ClosedDesk();
  using test = await openTestDependencies({ desk });
  const { reference, handoff } = submittedRequest(await submitRequest(test.deps));
  assert(handoff.status === "failed");
  assertEquals([handoff.reason, handoff.ticketMayExist], ["desk_unavailable", false]);
  assertEquals((await test.store.latest(ACME))?.request.handoff, handoff);
  assertEquals(desk.calls, []);
  // The rest of the five seconds is reserved for the desk.
  assertEquals(desk.waits, [4_000]);
  assertEquals(lastLine(test), {
    level: "warn",
    event: "handoff_failed",
    reference,
    reason: "desk_unavailable",
    deskMs: 0,
  });
});

Deno.test("a resume that is not admitted to the desk leaves the handoff interrupted", async () => {
  const open = new ScriptedDesk(createdAs("43"), foundAs("42"));
  using test = await openTestDependencies({ desk: open });
  const { reference } = await crashDuringHandoff(test, "k-1");
  const before = await test.changes();
  const closed = { ...test.deps, desk: new ClosedDesk() };
  const { handoff } = submittedRequest(await submitRequest(closed, { key: "k-1" }));
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
  // Once the desk responds again, the same retry finds the ticket.
  const resumed = submittedRequest(await submitRequest(test.deps, { key: "k-1" })).handoff;
  assert(resumed.status === "created");
  assertEquals(resumed.ticket.reference, "42");
});

Deno.test("all desk calls of a handoff share one signal with the desk timeout", async () => {
  const desk = new ScriptedDesk();
  using test = await openTestDependencies({ desk });
  const created: [milliseconds: number, signal: AbortSignal][] = [];
  test.clock.deadline = (milliseconds) => {
    const signal = toDeadline(new AbortController().signal);
    created.push([milliseconds, signal]);
    return signal;
  };
  const received: AbortSignal[] = [];
  desk.onCreate = (_, signal) => (received.push(signal), failedWith());
  desk.onFind = (_, signal) => (received.push(signal), foundAs("42"));
  const request = submittedRequest(await submitRequest(test.deps));
  assertEquals(request.handoff.status, "created");
  const [[milliseconds, signal] = [], ...others] = created;
  assertEquals([milliseconds, others], [test.deps.deskTimeoutMs, []]);
  assert(received.length === 2 && received.every((each) => each === signal));
});

Deno.test("a submission that times out before it is admitted stays pending", async () => {
  using test = await openTestDependencies({ desk: new ClosedDesk() });
  test.clock.deadline = () => toDeadline(AbortSignal.abort());
  const { handoff } = submittedRequest(await submitRequest(test.deps));
  assertEquals(handoff.status, "pending");
  assertEquals((await test.store.latest(ACME))?.request.handoff.status, "pending");
});

for (const admission of ["admitted", "rejected"]) {
  Deno.test(`a process paused until it is ${admission} sends nothing and records nothing`, async () => {
    const desk = new ScriptedDesk();
    using test = await openTestDependencies({ desk });
    const admit = desk.admit.bind(desk);
    // The signal's timer has not fired yet: timers fire in the order of their deadlines.
    desk.admit = (waitMs, work) => {
      test.clock.advance(60_000);
      return admission === "admitted"
        ? admit(waitMs, work)
        : Promise.resolve({ outcome: "rejected" });
    };
    const { handoff } = submittedRequest(await submitRequest(test.deps));
    assertEquals([handoff.status, desk.calls], ["pending", []]);
    assertEquals((await test.store.latest(ACME))?.request.handoff.status, "pending");
  });
}

Deno.test("telemetry labels a handoff with the reason in the log", async () => {
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
    using test = await openTestDependencies({ desk });
    await submitRequest({ ...test.deps, telemetry });
  }
  assertEquals(outcomes.map(({ outcome }) => outcome), [
    "created",
    "desk_timeout",
    "desk_unavailable",
  ]);
});
