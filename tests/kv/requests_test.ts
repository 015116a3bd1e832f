import { assert, assertEquals, assertRejects } from "@std/assert";
import { ZodError } from "zod";
import type { StoredRequest } from "../../domain/ports/store.ts";
import type { SupportRequest } from "../../domain/model/support_request.ts";
import { openTestStore } from "./fixtures.ts";
import { ACME, DAY_MS, run } from "../support/constants.ts";
import { dump } from "../support/kv_file.ts";
import { claim, pendingIn, requestIn } from "../support/records.ts";

type TestStore = Awaited<ReturnType<typeof openTestStore>>;

async function append({ store }: TestStore, request: SupportRequest): Promise<StoredRequest> {
  const appended = await store.append(request);
  assert(appended.outcome === "stored");
  return appended.stored;
}

Deno.test("append commits the request, its audit event and its idempotency key together", async () => {
  using test = await openTestStore();
  const request = requestIn(run("r-1"));
  const appended = await test.store.append(request, claim());
  assert(appended.outcome === "stored");
  const entries = await dump(test.kv);
  assertEquals(entries.map(({ key }) => key), [
    ["audit", "acme", appended.stored.ts, request.reference, "request.submitted"],
    ["idempotency", "acme", "u-1", "k-1"],
    ["run", "acme/r-1", appended.stored.ts],
  ]);
  assertEquals(new Set(entries.map(({ versionstamp }) => versionstamp)).size, 1);
  assertEquals(entries[2]!.value, request);
  assertEquals(entries[0]!.value, {
    event: "request.submitted",
    at: request.createdAt,
    reference: request.reference,
    context: request.context,
    actor: request.createdBy,
    handoff: request.handoff,
  });
});

Deno.test("append writes nothing if the idempotency key is taken", async () => {
  using test = await openTestStore();
  await test.store.append(requestIn(ACME), claim());
  const before = await dump(test.kv);
  assertEquals(await test.store.append(requestIn(run("r-1")), claim()), { outcome: "key_taken" });
  assertEquals(await dump(test.kv), before);
});

Deno.test("append writes nothing if the expired key has been replaced already", async () => {
  using test = await openTestStore();
  await test.store.append(requestIn(ACME), claim());
  const before = await dump(test.kv);
  const stale = claim({ replaces: "00000000000000990000" });
  assertEquals(await test.store.append(requestIn(ACME), stale), { outcome: "key_taken" });
  assertEquals(await dump(test.kv), before);
});

Deno.test("append stores one of 64 concurrent submissions with one key", async () => {
  using test = await openTestStore();
  const appended = await Promise.all(
    Array.from({ length: 64 }, () => test.store.append(requestIn(ACME), claim())),
  );
  assertEquals(appended.filter(({ outcome }) => outcome === "stored").length, 1);
  assertEquals((await dump(test.kv)).length, 3);
});

Deno.test("equal idempotency keys of other tenants or actors are independent", async () => {
  using test = await openTestStore();
  for (const scope of [{}, { tenantId: "globex" }, { actorId: "u-2" }]) {
    assertEquals((await test.store.append(requestIn(ACME), claim(scope))).outcome, "stored");
  }
});

Deno.test("latest returns null in a context without requests", async () => {
  using test = await openTestStore();
  assertEquals(await test.store.latest(ACME), null);
});

Deno.test("latest returns the request that was acknowledged last", async () => {
  using test = await openTestStore();
  for (let i = 0; i < 5; i++) {
    const stored = await append(test, pendingIn(ACME));
    assertEquals(await test.store.latest(ACME), stored);
  }
});

Deno.test("latest never returns the request of another context", async () => {
  using test = await openTestStore();
  const contexts = [
    ACME,
    run("r-1"),
    run("r-2"),
    run("r-1", "globex"),
    { kind: "tenant", tenantId: "globex" } as const,
    // IDs that would collide if they were joined with another separator.
    run("r", "a:b"),
    run("b:r", "a"),
    run("acme"),
    { kind: "tenant", tenantId: "acme.r-1" } as const,
  ];
  const stored = [];
  for (const context of contexts) stored.push(await append(test, requestIn(context)));
  for (const [i, context] of contexts.entries()) {
    assertEquals(await test.store.latest(context), stored[i]);
  }
});

Deno.test("latest does not return an expired request that KV still has", async () => {
  using test = await openTestStore({ retentionDays: 30 });
  const stored = await append(test, requestIn(ACME));
  test.clock.time += 30 * DAY_MS - 1;
  assertEquals(await test.store.latest(ACME), stored);
  test.clock.time += 1;
  assertEquals(await test.store.latest(ACME), null);
  assertEquals(await test.store.reload(stored), null);
  assertEquals((await dump(test.kv)).length, 2);
});

Deno.test("latest returns a request forever if no retention period is set", async () => {
  using test = await openTestStore();
  const stored = await append(test, requestIn(ACME));
  test.clock.time += 36_500 * DAY_MS;
  assertEquals(await test.store.latest(ACME), stored);
});

Deno.test("latest rejects a record that does not parse", async () => {
  using test = await openTestStore();
  const stored = await append(test, requestIn(ACME));
  for (const broken of [{}, "SR-1", { ...stored.request, schema: "1" }, { handoff: null }]) {
    await test.kv.set(["tenant", "acme", stored.ts], broken);
    await assertRejects(() => test.store.latest(ACME), ZodError);
    await assertRejects(() => test.store.reload(stored), ZodError);
  }
});

Deno.test("append stores a request after a record that does not parse", async () => {
  using test = await openTestStore({ isExclusive: false });
  const unreadable = await append(test, requestIn(ACME));
  await test.kv.set(["tenant", "acme", unreadable.ts], { schema: 2 });
  const stored = await append(test, requestIn(ACME));
  assertEquals(await test.store.latest(ACME), stored);
});
