import { assert, assertEquals, assertRejects } from "@std/assert";
import { ZodError } from "zod";
import type { AuditPosition } from "../../domain/ports/store.ts";
import { openTestStore } from "./fixtures.ts";
import { ACME, DAY_MS, run } from "../support/constants.ts";
import { created, pendingIn, requestIn } from "../support/records.ts";

type TestStore = Awaited<ReturnType<typeof openTestStore>>;

/** Submits `count` requests, one per millisecond, and returns their references, oldest first. */
async function submit({ store, clock }: TestStore, count: number): Promise<string[]> {
  const references = [];
  for (let i = 0; i < count; i++) {
    const request = requestIn(i % 2 ? ACME : run(`r-${i}`), { now: ++clock.time });
    await store.append(request);
    references.push(request.reference);
  }
  return references;
}

async function referencesOf(
  { store }: TestStore,
  limit: number,
  whileReading: () => Promise<unknown> = () => Promise.resolve(),
): Promise<string[]> {
  const references = [];
  let after: AuditPosition | undefined;
  do {
    const { events, next } = await store.auditEvents("acme", limit, after);
    assert(events.length <= limit);
    references.push(...events.map(({ reference }) => reference));
    after = next ?? undefined;
    assert(references.length < 1_000, "the pages never end");
    await whileReading();
  } while (after !== undefined);
  return references;
}

Deno.test("auditEvents returns an empty page for a tenant without events", async () => {
  using test = await openTestStore();
  assertEquals(await test.store.auditEvents("acme", 50), { events: [], next: null });
});

Deno.test("auditEvents returns a tenant's events of every context, newest first", async () => {
  using test = await openTestStore();
  const request = pendingIn(run("r-1"));
  const appended = await test.store.append(request);
  assert(appended.outcome === "stored");
  test.clock.time += 1000;
  const later = requestIn(ACME, { now: test.clock.time });
  await test.store.append(later);
  test.clock.time += 1000;
  await test.store.finalize(appended.stored, created("1", test.clock.time));
  const { events, next } = await test.store.auditEvents("acme", 50);
  assertEquals(events.map(({ event, reference }) => [event, reference]), [
    ["handoff.created", request.reference],
    ["request.submitted", later.reference],
    ["request.submitted", request.reference],
  ]);
  assertEquals(next, null);
});

Deno.test("auditEvents returns nothing of another tenant, whatever the position", async () => {
  using test = await openTestStore();
  await submit(test, 3);
  const { next } = await test.store.auditEvents("acme", 1);
  assert(next !== null);
  for (const tenantId of ["globex", "acm", "acme.", "Acme"]) {
    for (const after of [undefined, next, { ...next, ts: next.ts + 1e9 }]) {
      const page = await test.store.auditEvents(tenantId, 50, after);
      assertEquals(page, { events: [], next: null });
    }
  }
});

Deno.test("auditEvents returns every event exactly once, page by page", async () => {
  using test = await openTestStore();
  const submitted = await submit(test, 12);
  for (const limit of [1, 2, 5, 11, 12, 13, 100]) {
    assertEquals(await referencesOf(test, limit), submitted.toReversed());
  }
});

Deno.test("auditEvents returns pages of a hundred events", async () => {
  using test = await openTestStore();
  const submitted = await submit(test, 230);
  assertEquals(await referencesOf(test, 100), submitted.toReversed());
});

Deno.test("auditEvents neither skips nor repeats an event while new ones arrive", async () => {
  using test = await openTestStore();
  const submitted = await submit(test, 9);
  let pages = 0;
  const arriving = async () => {
    if (++pages <= 3) await submit(test, 5);
  };
  assertEquals(await referencesOf(test, 2, arriving), submitted.toReversed());
});

Deno.test("auditEvents returns every event of one microsecond", async () => {
  using test = await openTestStore();
  const requests = ["r-1", "r-2", "r-3", "r-4"].map((runId) => requestIn(run(runId)));
  await Promise.all(requests.map((request) => test.store.append(request)));
  const references = requests.map(({ reference }) => reference).toSorted();
  assertEquals(await referencesOf(test, 1), references.toReversed());
});

Deno.test("auditEvents returns the events beyond expired ones", async () => {
  using test = await openTestStore({ retentionDays: 1 });
  // The clock was slow for a while: expired events are among the others.
  for (const days of [0, -2, -2, 0]) {
    await test.store.append(requestIn(ACME, { now: test.clock.time + days * DAY_MS }));
  }
  assertEquals((await referencesOf(test, 1)).length, 2);
  test.clock.time += DAY_MS;
  assertEquals(await referencesOf(test, 1), []);
});

Deno.test("auditEvents rejects an event that does not parse", async () => {
  using test = await openTestStore();
  await test.kv.set(["audit", "acme", 1, "SR-1", "handoff.failed"], { event: "handoff.failed" });
  await assertRejects(() => test.store.auditEvents("acme", 50), ZodError);
});
