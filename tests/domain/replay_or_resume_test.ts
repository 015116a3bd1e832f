import { assert, assertEquals, assertRejects } from "@std/assert";
import { toTimestamp } from "../../domain/model/handoff.ts";
import type { Store } from "../../domain/ports/store.ts";
import { InFlightTracker } from "../../domain/in_flight.ts";
import {
  crashDuringHandoff,
  createdAs,
  failedWith,
  foundAs,
  openTestDependencies,
  OVERDUE_MS,
  ScriptedDesk,
  submitRequest,
  submittedRequest,
  ticket,
} from "./fixtures.ts";
import { FakeClock, toDeadline } from "../support/clock.ts";
import { ACME, START } from "../support/constants.ts";
import { leaseKey } from "../../kv/keys.ts";

const KEY = { key: "k-1" };

Deno.test("a retry is told that the first submission is in progress until its handoff ends", async () => {
  const desk = new ScriptedDesk();
  using test = await openTestDependencies({ desk });
  const called = Promise.withResolvers<void>();
  const response = Promise.withResolvers<void>();
  desk.onCreate = async () => {
    called.resolve();
    await response.promise;
    return createdAs("42");
  };
  const first = submitRequest(test.deps, KEY);
  await called.promise;
  const inFlight = { outcome: "in_progress", retryAfterSeconds: 15 } as const;
  assertEquals(await submitRequest(test.deps, KEY), inFlight);
  // A clock that jumps does not make a handoff in flight here interrupted.
  test.clock.time += 3_600_000;
  assertEquals(await submitRequest(test.deps, KEY), inFlight);
  response.resolve();
  const request = submittedRequest(await first);
  assertEquals(await submitRequest(test.deps, KEY), {
    outcome: "submitted",
    request,
    replayed: true,
  });
  assertEquals(desk.calls, ["create"]);
});

Deno.test("a retry leaves a handoff of another process alone until its deadline", async () => {
  const desk = new ScriptedDesk();
  using test = await openTestDependencies({ desk });
  await crashDuringHandoff(test);
  test.clock.time -= 1;
  assertEquals((await submitRequest(test.deps, KEY)).outcome, "in_progress");
  test.clock.time += 1;
  assertEquals((await submitRequest(test.deps, KEY)).outcome, "submitted");
});

Deno.test("a retry adopts the ticket that an interrupted handoff created", async () => {
  const desk = new ScriptedDesk(createdAs("43"), foundAs("42"));
  using test = await openTestDependencies({ desk });
  const interrupted = await crashDuringHandoff(test);
  const result = await submitRequest(test.deps, KEY);
  assert(result.outcome === "submitted" && result.replayed);
  assertEquals(result.request.reference, interrupted.reference);
  const at = toTimestamp(test.clock.time);
  assertEquals(result.request.handoff, { status: "created", ticket: ticket("42"), at });
  assertEquals((await test.store.latest(ACME))?.request, result.request);
  assertEquals(desk.calls, ["find"]);
  assertEquals(await test.audit(), ["request.submitted", "handoff.created"]);
});

Deno.test("a retry creates a ticket if the interrupted handoff created none", async () => {
  const desk = new ScriptedDesk(createdAs("43"), { outcome: "absent" });
  using test = await openTestDependencies({ desk });
  await crashDuringHandoff(test);
  const { handoff } = submittedRequest(await submitRequest(test.deps, KEY));
  assert(handoff.status === "created");
  assertEquals(handoff.ticket.reference, "43");
  assertEquals(desk.calls, ["find", "create"]);
});

Deno.test("a retry writes and creates nothing if the lookup is unclear", async () => {
  const desk = new ScriptedDesk(createdAs("43"), { outcome: "unclear" });
  using test = await openTestDependencies({ desk });
  await crashDuringHandoff(test);
  const before = await test.changes();
  for (let i = 0; i < 2; i++) {
    const { handoff } = submittedRequest(await submitRequest(test.deps, KEY));
    assert(handoff.status === "failed");
    assertEquals(handoff.reason, "interrupted");
    assertEquals(handoff.ticketMayExist, true);
  }
  assertEquals(desk.calls, ["find", "find"]);
  assertEquals(await test.changes(), before);
});

Deno.test("a retry creates no ticket after the desk timeout", async () => {
  const desk = new ScriptedDesk(createdAs("43"));
  using test = await openTestDependencies({ desk });
  const timeout = new AbortController();
  test.clock.deadline = () => toDeadline(timeout.signal);
  desk.onFind = () => {
    timeout.abort();
    return { outcome: "absent" };
  };
  await crashDuringHandoff(test);
  const before = await test.changes();
  assertEquals(submittedRequest(await submitRequest(test.deps, KEY)).handoff.status, "failed");
  assertEquals(desk.calls, ["find"]);
  assertEquals(await test.changes(), before);
});

Deno.test("a resume whose creation fails says that a ticket may exist", async () => {
  const failure = failedWith({ reason: "desk_rejected", ticketMayExist: false });
  using test = await openTestDependencies({ desk: new ScriptedDesk(failure) });
  await crashDuringHandoff(test);
  const { handoff } = submittedRequest(await submitRequest(test.deps, KEY));
  assert(handoff.status === "failed");
  // What the interrupted handoff sent may still become a ticket after the search.
  assertEquals([handoff.reason, handoff.ticketMayExist], ["desk_rejected", true]);
  assertEquals(await test.audit(), ["request.submitted", "handoff.failed"]);
});

Deno.test("a retry sends nothing to the desk while another process holds the lease", async () => {
  const desk = new ScriptedDesk(createdAs("43"), foundAs("42"));
  using test = await openTestDependencies({ desk });
  const { reference } = await crashDuringHandoff(test);
  const attempt = await test.store.acquireLease(reference, test.clock.time + 3_500);
  assert(attempt.outcome === "acquired");
  const held = { outcome: "in_progress", retryAfterSeconds: 4 } as const;
  assertEquals(await submitRequest(test.deps, KEY), held);
  assertEquals(desk.calls, []);
  await test.store.releaseLease(attempt.lease);
  assertEquals((await submitRequest(test.deps, KEY)).outcome, "submitted");
});

Deno.test("a retry holds the lease for as long as the handoff may take", async () => {
  using test = await openTestDependencies();
  await crashDuringHandoff(test);
  const durations: number[] = [];
  const acquireLease: Store["acquireLease"] = (reference, until) => {
    durations.push(until - test.clock.time);
    return test.store.acquireLease(reference, until);
  };
  await submitRequest({ ...test.deps, store: { ...test.store, acquireLease } }, KEY);
  assertEquals(durations, [OVERDUE_MS]);
});

Deno.test("a retry returns what another process recorded before it had the lease", async () => {
  const desk = new ScriptedDesk();
  using test = await openTestDependencies({ desk });
  await crashDuringHandoff(test);
  // Another process, with its own tracker, resumes from start to end before this one acquires the
  // lease: the desk rejects the ticket.
  desk.onCreate = () => failedWith({ reason: "desk_rejected", ticketMayExist: false });
  const rival = { ...test.deps, inFlight: new InFlightTracker() };
  const acquireLease: Store["acquireLease"] = async (reference, until) => {
    assertEquals(submittedRequest(await submitRequest(rival, KEY)).handoff.status, "failed");
    desk.onCreate = () => createdAs("42");
    return await test.store.acquireLease(reference, until);
  };
  const late = { ...test.deps, store: { ...test.store, acquireLease } };
  const { handoff } = submittedRequest(await submitRequest(late, KEY));
  assert(handoff.status === "failed");
  assertEquals(handoff.reason, "desk_rejected");
  assertEquals(desk.calls, ["find", "create"]);
  assertEquals(await test.audit(), ["request.submitted", "handoff.failed"]);
});

Deno.test("16 concurrent retries resume an interrupted handoff once", async () => {
  const desk = new ScriptedDesk();
  using test = await openTestDependencies({ desk });
  await crashDuringHandoff(test);
  const results = await Promise.all(
    Array.from({ length: 16 }, () => submitRequest(test.deps, KEY)),
  );
  assert(results.some(({ outcome }) => outcome === "submitted"));
  assertEquals(desk.calls, ["find", "create"]);
  assertEquals(await test.audit(), ["request.submitted", "handoff.created"]);
});

Deno.test("a retry resumes nothing twice if the clock jumps past the lease", async () => {
  const desk = new ScriptedDesk();
  using test = await openTestDependencies({ desk });
  await crashDuringHandoff(test);
  const called = Promise.withResolvers<void>();
  const response = Promise.withResolvers<void>();
  desk.onFind = async () => {
    called.resolve();
    await response.promise;
    return foundAs("42");
  };
  const first = submitRequest(test.deps, KEY);
  await called.promise;
  desk.onFind = () => ({ outcome: "absent" });
  test.clock.time += 3_600_000;
  assertEquals((await submitRequest(test.deps, KEY)).outcome, "in_progress");
  response.resolve();
  assertEquals(submittedRequest(await first).handoff.status, "created");
  assertEquals(desk.calls, ["find"]);
});

Deno.test("a retry with a clock five seconds ahead does not interfere with a late handoff", async () => {
  const desk = new ScriptedDesk();
  using test = await openTestDependencies({ desk });
  const ahead = new FakeClock({ timers: "manual" });
  const other = { ...test.deps, clock: ahead, inFlight: new InFlightTracker() };
  const append: Store["append"] = (request, claim) => {
    test.clock.advance(5_000);
    return test.store.append(request, claim);
  };
  const outcomes: string[] = [];
  desk.onCreate = async () => {
    ahead.time = START + 5_000 + test.deps.deskTimeoutMs + 5_000;
    outcomes.push((await submitRequest(other, KEY)).outcome);
    return createdAs("42");
  };
  outcomes.push(
    (await submitRequest({ ...test.deps, store: { ...test.store, append } }, KEY)).outcome,
  );
  assertEquals(outcomes, ["in_progress", "submitted"]);
  assertEquals(desk.calls, ["create"]);
});

Deno.test("a retry releases the lease even if the resume throws", async () => {
  const desk = new ScriptedDesk(createdAs("43"), foundAs("42"));
  using test = await openTestDependencies({ desk });
  const { reference } = await crashDuringHandoff(test);
  desk.onFind = () => Promise.reject(new Error("a bug"));
  await assertRejects(() => submitRequest(test.deps, KEY), Error, "a bug");
  assertEquals((await test.kv.get(leaseKey(reference))).value, null);
  assertEquals(test.deps.inFlight.has(reference), false);
  desk.onFind = () => foundAs("42");
  assertEquals(submittedRequest(await submitRequest(test.deps, KEY)).handoff.status, "created");
});

Deno.test("a retry leaves a handoff interrupted if no desk is configured any more", async () => {
  using test = await openTestDependencies();
  await crashDuringHandoff(test);
  const before = await test.changes();
  const { handoff } = submittedRequest(await submitRequest({ ...test.deps, desk: null }, KEY));
  assert(handoff.status === "failed");
  assertEquals(handoff.reason, "interrupted");
  assertEquals(await test.changes(), before);
});

Deno.test("a retry with another body is rejected even if the handoff was interrupted", async () => {
  const desk = new ScriptedDesk();
  using test = await openTestDependencies({ desk });
  await crashDuringHandoff(test);
  assertEquals(await submitRequest(test.deps, { ...KEY, summary: "Another" }), {
    outcome: "key_reused",
  });
  assertEquals(desk.calls, []);
});

Deno.test("a retry sends nothing of a request that was erased to the desk", async () => {
  const desk = new ScriptedDesk();
  using test = await openTestDependencies({ desk });
  const { reference } = await crashDuringHandoff(test);
  const acquireLease: Store["acquireLease"] = async (reference, until) => {
    for await (const { key } of test.kv.list({ prefix: [] })) await test.kv.delete(key);
    return await test.store.acquireLease(reference, until);
  };
  const result = await submitRequest({ ...test.deps, store: { ...test.store, acquireLease } }, KEY);
  assertEquals(submittedRequest(result).reference, reference);
  assertEquals([desk.calls, await test.changes()], [[], []]);
});
