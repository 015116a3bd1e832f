import { assert, assertEquals, assertRejects } from "@std/assert";
import { toTimestamp } from "../../domain/model/handoff.ts";
import type { Store } from "../../domain/ports/store.ts";
import { InFlightTracker } from "../../domain/in_flight.ts";
import {
  ask,
  createdAs,
  failedWith,
  foundAs,
  interrupt,
  openDeskhand,
  OVERDUE_MS,
  requestOf,
  ScriptedDesk,
  ticket,
} from "./fixtures.ts";
import { FakeClock } from "../support/clock.ts";
import { ACME, START } from "../support/constants.ts";

const KEY = { key: "k-1" };

Deno.test("repeat says that the first submission is under way until its handoff ends", async () => {
  const desk = new ScriptedDesk();
  using test = await openDeskhand({ desk });
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  desk.onCreate = async () => {
    asked.resolve();
    await answer.promise;
    return createdAs("42");
  };
  const first = ask(test.deps, KEY);
  await asked.promise;
  const inFlight = { outcome: "in_progress", retryAfterSeconds: 15 } as const;
  assertEquals(await ask(test.deps, KEY), inFlight);
  // A clock that jumps makes nothing interrupted that is at the desk from here.
  test.clock.time += 3_600_000;
  assertEquals(await ask(test.deps, KEY), inFlight);
  answer.resolve();
  const request = requestOf(await first);
  assertEquals(await ask(test.deps, KEY), { outcome: "submitted", request, replayed: true });
  assertEquals(desk.asked, ["create"]);
});

Deno.test("repeat takes a handoff of another process for alive until it is overdue", async () => {
  const desk = new ScriptedDesk();
  using test = await openDeskhand({ desk });
  await interrupt(test);
  test.clock.time -= 1;
  assertEquals((await ask(test.deps, KEY)).outcome, "in_progress");
  test.clock.time += 1;
  assertEquals((await ask(test.deps, KEY)).outcome, "submitted");
});

Deno.test("repeat adopts the ticket that an interrupted handoff had made", async () => {
  const desk = new ScriptedDesk(createdAs("43"), foundAs("42"));
  using test = await openDeskhand({ desk });
  const interrupted = await interrupt(test);
  const result = await ask(test.deps, KEY);
  assert(result.outcome === "submitted" && result.replayed);
  assertEquals(result.request.reference, interrupted.reference);
  const at = toTimestamp(test.clock.time);
  assertEquals(result.request.handoff, { status: "created", ticket: ticket("42"), at });
  assertEquals((await test.store.latest(ACME))?.request, result.request);
  assertEquals(desk.asked, ["find"]);
  assertEquals(await test.audit(), ["request.submitted", "handoff.created"]);
});

Deno.test("repeat makes a ticket where an interrupted handoff had made none", async () => {
  const desk = new ScriptedDesk(createdAs("43"), { outcome: "absent" });
  using test = await openDeskhand({ desk });
  await interrupt(test);
  const { handoff } = requestOf(await ask(test.deps, KEY));
  assert(handoff.status === "created");
  assertEquals(handoff.ticket.reference, "43");
  assertEquals(desk.asked, ["find", "create"]);
});

Deno.test("repeat writes and makes nothing where the desk gives no clear answer", async () => {
  const desk = new ScriptedDesk(createdAs("43"), { outcome: "unclear" });
  using test = await openDeskhand({ desk });
  await interrupt(test);
  const before = await test.changes();
  for (let i = 0; i < 2; i++) {
    const { handoff } = requestOf(await ask(test.deps, KEY));
    assert(handoff.status === "failed");
    assertEquals(handoff.reason, "interrupted");
    assertEquals(handoff.ticketMayExist, true);
  }
  assertEquals(desk.asked, ["find", "find"]);
  assertEquals(await test.changes(), before);
});

Deno.test("repeat makes no ticket once the time for the desk has run out", async () => {
  const desk = new ScriptedDesk(createdAs("43"));
  using test = await openDeskhand({ desk });
  const budget = new AbortController();
  test.clock.deadline = () => budget.signal;
  desk.onFind = () => {
    budget.abort();
    return { outcome: "absent" };
  };
  await interrupt(test);
  const before = await test.changes();
  assertEquals(requestOf(await ask(test.deps, KEY)).handoff.status, "failed");
  assertEquals(desk.asked, ["find"]);
  assertEquals(await test.changes(), before);
});

Deno.test("a resume whose creation fails does not say that there is no ticket", async () => {
  const failure = failedWith({ reason: "desk_rejected", ticketMayExist: false });
  using test = await openDeskhand({ desk: new ScriptedDesk(failure) });
  await interrupt(test);
  const { handoff } = requestOf(await ask(test.deps, KEY));
  assert(handoff.status === "failed");
  // What the interrupted handoff sent may become a ticket after the search.
  assertEquals([handoff.reason, handoff.ticketMayExist], ["desk_rejected", true]);
  assertEquals(await test.audit(), ["request.submitted", "handoff.failed"]);
});

Deno.test("repeat asks the desk nothing while somebody else holds the lease", async () => {
  const desk = new ScriptedDesk(createdAs("43"), foundAs("42"));
  using test = await openDeskhand({ desk });
  const { reference } = await interrupt(test);
  const attempt = await test.store.acquireLease(reference, test.clock.time + 3_500);
  assert(attempt.outcome === "acquired");
  const held = { outcome: "in_progress", retryAfterSeconds: 4 } as const;
  assertEquals(await ask(test.deps, KEY), held);
  assertEquals(desk.asked, []);
  await test.store.releaseLease(attempt.lease);
  assertEquals((await ask(test.deps, KEY)).outcome, "submitted");
});

Deno.test("repeat holds the lease for as long as the desk and the finalization may take", async () => {
  using test = await openDeskhand();
  await interrupt(test);
  const asked: number[] = [];
  const acquireLease: Store["acquireLease"] = (reference, until) => {
    asked.push(until - test.clock.time);
    return test.store.acquireLease(reference, until);
  };
  await ask({ ...test.deps, store: { ...test.store, acquireLease } }, KEY);
  assertEquals(asked, [OVERDUE_MS]);
});

Deno.test("repeat answers with what was settled while it waited for the lease", async () => {
  const desk = new ScriptedDesk();
  using test = await openDeskhand({ desk });
  await interrupt(test);
  // Another process, with a registry of its own, resumes from beginning to end before the lease is
  // taken: the desk rejects the ticket.
  desk.onCreate = () => failedWith({ reason: "desk_rejected", ticketMayExist: false });
  const rival = { ...test.deps, inFlight: new InFlightTracker() };
  const acquireLease: Store["acquireLease"] = async (reference, until) => {
    assertEquals(requestOf(await ask(rival, KEY)).handoff.status, "failed");
    desk.onCreate = () => createdAs("42");
    return await test.store.acquireLease(reference, until);
  };
  const late = { ...test.deps, store: { ...test.store, acquireLease } };
  const { handoff } = requestOf(await ask(late, KEY));
  assert(handoff.status === "failed");
  assertEquals(handoff.reason, "desk_rejected");
  assertEquals(desk.asked, ["find", "create"]);
  assertEquals(await test.audit(), ["request.submitted", "handoff.failed"]);
});

Deno.test("repeat of 16 at once resumes an interrupted handoff once", async () => {
  const desk = new ScriptedDesk();
  using test = await openDeskhand({ desk });
  await interrupt(test);
  const results = await Promise.all(Array.from({ length: 16 }, () => ask(test.deps, KEY)));
  assert(results.some(({ outcome }) => outcome === "submitted"));
  assertEquals(desk.asked, ["find", "create"]);
  assertEquals(await test.audit(), ["request.submitted", "handoff.created"]);
});

Deno.test("repeat resumes nothing twice where the clock jumps past the lease meanwhile", async () => {
  const desk = new ScriptedDesk();
  using test = await openDeskhand({ desk });
  await interrupt(test);
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  desk.onFind = async () => {
    asked.resolve();
    await answer.promise;
    return foundAs("42");
  };
  const first = ask(test.deps, KEY);
  await asked.promise;
  desk.onFind = () => ({ outcome: "absent" });
  test.clock.time += 3_600_000;
  assertEquals((await ask(test.deps, KEY)).outcome, "in_progress");
  answer.resolve();
  assertEquals(requestOf(await first).handoff.status, "created");
  assertEquals(desk.asked, ["find"]);
});

Deno.test("repeat by a clock five seconds ahead leaves the desk to who asked it as late as may be", async () => {
  const desk = new ScriptedDesk();
  using test = await openDeskhand({ desk });
  const ahead = new FakeClock({ timers: "manual" });
  const other = { ...test.deps, clock: ahead, inFlight: new InFlightTracker() };
  const append: Store["append"] = (request, claim) => {
    test.clock.advance(5_000);
    return test.store.append(request, claim);
  };
  const outcomes: string[] = [];
  desk.onCreate = async () => {
    ahead.time = START + 5_000 + test.deps.deskTimeoutMs + 5_000;
    outcomes.push((await ask(other, KEY)).outcome);
    return createdAs("42");
  };
  outcomes.push((await ask({ ...test.deps, store: { ...test.store, append } }, KEY)).outcome);
  assertEquals(outcomes, ["in_progress", "submitted"]);
  assertEquals(desk.asked, ["create"]);
});

Deno.test("repeat gives the lease back however the resume ends", async () => {
  const desk = new ScriptedDesk(createdAs("43"), foundAs("42"));
  using test = await openDeskhand({ desk });
  const { reference } = await interrupt(test);
  desk.onFind = () => Promise.reject(new Error("a bug"));
  await assertRejects(() => ask(test.deps, KEY), Error, "a bug");
  assertEquals((await test.kv.get(["lease", reference])).value, null);
  assertEquals(test.deps.inFlight.has(reference), false);
  desk.onFind = () => foundAs("42");
  assertEquals(requestOf(await ask(test.deps, KEY)).handoff.status, "created");
});

Deno.test("repeat leaves a handoff interrupted where the desk is no longer configured", async () => {
  using test = await openDeskhand();
  await interrupt(test);
  const before = await test.changes();
  const { handoff } = requestOf(await ask({ ...test.deps, desk: null }, KEY));
  assert(handoff.status === "failed");
  assertEquals(handoff.reason, "interrupted");
  assertEquals(await test.changes(), before);
});

Deno.test("repeat with another body is refused even where the handoff is interrupted", async () => {
  const desk = new ScriptedDesk();
  using test = await openDeskhand({ desk });
  await interrupt(test);
  assertEquals(await ask(test.deps, { ...KEY, summary: "Another" }), { outcome: "key_reused" });
  assertEquals(desk.asked, []);
});

Deno.test("repeat of a request that is erased meanwhile sends nothing of it to the desk", async () => {
  const desk = new ScriptedDesk();
  using test = await openDeskhand({ desk });
  const { reference } = await interrupt(test);
  const acquireLease: Store["acquireLease"] = async (reference, until) => {
    for await (const { key } of test.kv.list({ prefix: [] })) await test.kv.delete(key);
    return await test.store.acquireLease(reference, until);
  };
  const result = await ask({ ...test.deps, store: { ...test.store, acquireLease } }, KEY);
  assertEquals(requestOf(result).reference, reference);
  assertEquals([desk.asked, await test.changes()], [[], []]);
});
