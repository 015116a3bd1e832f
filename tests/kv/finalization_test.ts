import { assert, assertEquals, assertGreater, assertRejects } from "@std/assert";
import type { FinalHandoff } from "../../domain/model/handoff.ts";
import { type StoredRequest, StoreUnavailableError } from "../../domain/ports/store.ts";
import type { SupportRequest } from "../../domain/model/support_request.ts";
import { type Expiry, openTestStore, withExpiries } from "./fixtures.ts";
import { ACME, DAY_MS, START } from "../support/constants.ts";
import { dump } from "../support/kv_file.ts";
import { created, pendingIn } from "../support/records.ts";

type TestStore = Awaited<ReturnType<typeof openTestStore>>;

async function pending({ store }: TestStore, request = pendingIn(ACME)): Promise<StoredRequest> {
  const appended = await store.append(request);
  assert(appended.outcome === "stored");
  return appended.stored;
}

async function auditOf({ kv }: TestStore) {
  const entries = await Array.fromAsync(kv.list<{ event: string }>({ prefix: ["audit", "acme"] }));
  return entries.map(({ key, value }) => ({ event: value.event, ts: key[2] as number, key }));
}

const failed: FinalHandoff = {
  status: "failed",
  reason: "desk_timeout",
  summary: "The desk did not respond in time",
  ticketMayExist: true,
  at: new Date(START).toISOString(),
};

Deno.test("finalize records the outcome and changes nothing else", async () => {
  for (const handoff of [created("42", START + 900), failed]) {
    using test = await openTestStore();
    const stored = await pending(test);
    assertEquals(await test.store.finalize(stored, handoff), true);
    const latest = await test.store.latest(ACME);
    assertEquals(latest?.request, { ...stored.request, handoff });
    assertEquals(latest?.ts, stored.ts);
    const { events } = await test.store.auditEvents("acme", 10);
    assertEquals(events.map(({ event, at, handoff }) => ({ event, at, handoff })), [
      { event: `handoff.${handoff.status}`, at: handoff.at, handoff },
      {
        event: "request.submitted",
        at: stored.request.createdAt,
        handoff: stored.request.handoff,
      },
    ]);
  }
});

Deno.test("exactly one of 64 concurrent finalizations wins and is audited", async () => {
  using test = await openTestStore();
  const stored = await pending(test);
  const won = await Promise.all(
    Array.from({ length: 64 }, (_, i) => test.store.finalize(stored, created(String(i + 1)))),
  );
  assertEquals(won.filter(Boolean).length, 1);
  const latest = await test.store.latest(ACME);
  assertEquals(latest?.request.handoff, created(String(won.indexOf(true) + 1)));
  assertEquals((await auditOf(test)).map(({ event }) => event), [
    "request.submitted",
    "handoff.created",
  ]);
});

Deno.test("finalize of a finalized request changes nothing", async () => {
  using test = await openTestStore();
  const stored = await pending(test);
  await test.store.finalize(stored, created("1"));
  const present = await test.store.latest(ACME);
  assertEquals(await test.store.finalize(stored, failed), false);
  assertEquals(await test.store.latest(ACME), present);
});

Deno.test("finalize does not restore a deleted request", async () => {
  using test = await openTestStore();
  const stored = await pending(test);
  await test.kv.delete(["tenant", "acme", stored.ts]);
  assertEquals(await test.store.finalize(stored, created("1")), false);
  assertEquals(await test.store.latest(ACME), null);
});

Deno.test("the finalization sorts after the submission if the clock jumps back", async () => {
  using test = await openTestStore();
  const stored = await pending(test);
  await test.store.finalize(stored, created("1", START - 60_000));
  const [submission, finalization] = await auditOf(test);
  assertEquals(finalization?.event, "handoff.created");
  assertEquals(finalization?.ts, submission!.ts + 1);
});

Deno.test("finalize does not extend the retention period of a request", async () => {
  using memory = await Deno.openKv(":memory:");
  const expiries: Expiry[] = [];
  using test = await openTestStore({ kv: withExpiries(memory, expiries), retentionDays: 2 });
  const stored = await pending(test);
  test.clock.time += DAY_MS / 2;
  await test.store.finalize(stored, created("1", test.clock.time));
  assertEquals(expiries, [
    ["tenant", 2 * DAY_MS],
    ["audit", 2 * DAY_MS],
    ["tenant", 1.5 * DAY_MS],
    ["audit", 2 * DAY_MS],
  ]);
});

async function supersede(
  test: TestStore,
  stored: StoredRequest,
  ...tickets: string[]
): Promise<void> {
  for (const ticket of tickets) await test.store.recordSuperseded(stored, created(ticket));
}

async function finalizedAt(test: TestStore, now: number): Promise<StoredRequest> {
  const stored = await pending(test);
  await test.store.finalize(stored, created("1", now));
  const finalized = await test.store.reload(stored);
  assert(finalized !== null);
  return finalized;
}

Deno.test("recordSuperseded records the ticket and does not change the request", async () => {
  using test = await openTestStore();
  const finalized = await finalizedAt(test, START);
  await supersede(test, finalized, "2");
  const { events: [newest] } = await test.store.auditEvents("acme", 1);
  assertEquals(newest?.event, "handoff.superseded");
  assertEquals(newest?.handoff, created("2"));
  assertEquals(newest?.reference, finalized.request.reference);
  assertEquals(await test.store.latest(ACME), finalized);
});

Deno.test("a superseded ticket sorts after the finalization if the clock jumps back", async () => {
  for (const time of [START + 60_000, START - 60_000]) {
    using test = await openTestStore();
    const finalized = await finalizedAt(test, time);
    test.clock.time = START - 3_600_000;
    await supersede(test, finalized, "2");
    const audited = await auditOf(test);
    assertEquals(audited.map(({ event }) => event), [
      "request.submitted",
      "handoff.created",
      "handoff.superseded",
    ]);
    assertGreater(audited[2]!.ts, audited[1]!.ts);
  }
});

Deno.test("a superseded ticket is the newest event of its tenant", async () => {
  using test = await openTestStore();
  const finalized = await finalizedAt(test, START);
  test.clock.time = START + 60_000;
  await pending(test, pendingIn(ACME, START + 30_000));
  await supersede(test, finalized, "2");
  const { events } = await test.store.auditEvents("acme", 10);
  assertEquals(events.map(({ event }) => event), [
    "handoff.superseded",
    "request.submitted",
    "handoff.created",
    "request.submitted",
  ]);
  assertEquals((await auditOf(test)).at(-1)?.ts, test.clock.time * 1000);
});

Deno.test("recordSuperseded uses the next audit key if one is taken", async () => {
  using test = await openTestStore();
  const finalized = await finalizedAt(test, START);
  const { reference } = finalized.request;
  test.clock.time = START + 1_000;
  const first = test.clock.time * 1000;
  const taken = [first, first + 1].map((ts) =>
    ["audit", "acme", ts, reference, "handoff.superseded"] as const
  );
  for (const key of taken) await test.kv.set(key, "taken");
  await supersede(test, finalized, "2");
  const values = await test.kv.getMany([
    ...taken,
    ["audit", "acme", first + 2, reference, "handoff.superseded"],
  ]) as Deno.KvEntry<unknown>[];
  assertEquals(values.slice(0, 2).map(({ value }) => value), ["taken", "taken"]);
  assertEquals((values[2]!.value as { handoff: unknown }).handoff, created("2"));
});

Deno.test("recordSuperseded writes nothing and throws if every audit key is taken", async () => {
  using test = await openTestStore();
  const finalized = await finalizedAt(test, START);
  const { reference } = finalized.request;
  test.clock.time = START + 1_000;
  for (let i = 0; i < 100; i++) {
    const ts = test.clock.time * 1000 + i;
    await test.kv.set(["audit", "acme", ts, reference, "handoff.superseded"], "taken");
  }
  const before = await dump(test.kv);
  await assertRejects(
    () => supersede(test, finalized, "2"),
    StoreUnavailableError,
    "sort keys in a row",
  );
  assertEquals(await dump(test.kv), before);
});

Deno.test("the audit events of a finalization and a superseded ticket record the caller", async () => {
  using test = await openTestStore();
  const stored = await pending(test);
  const grace = { id: "u-2", name: "Grace" };
  await test.store.finalize(stored, created("1"), grace);
  await test.store.recordSuperseded((await test.store.reload(stored))!, created("2"), grace);
  const { events } = await test.store.auditEvents("acme", 10);
  assertEquals(events.map(({ actor }) => actor), [grace, grace, stored.request.createdBy]);
});

Deno.test("recordSuperseded records every ticket of one microsecond", async () => {
  using test = await openTestStore();
  const finalized = await finalizedAt(test, START);
  await Promise.all(["2", "3", "4"].map((ticket) => supersede(test, finalized, ticket)));
  const { events } = await test.store.auditEvents("acme", 10);
  const tickets = events.filter(({ event }) => event === "handoff.superseded")
    .map(({ handoff }) => handoff.status === "created" && handoff.ticket.reference);
  assertEquals(tickets.toSorted(), ["2", "3", "4"]);
});

Deno.test("reload returns the current revision of a request", async () => {
  using test = await openTestStore();
  const request: SupportRequest = pendingIn(ACME);
  const stored = await pending(test, request);
  assertEquals(await test.store.reload({ ...stored, versionstamp: "0" }), stored);
});
