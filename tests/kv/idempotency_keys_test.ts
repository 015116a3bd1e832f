import { assert, assertEquals, assertRejects } from "@std/assert";
import { ZodError } from "zod";
import { FINGERPRINT_VERSION } from "../../domain/model/idempotency.ts";
import { type Expiry, openTestStore, withExpiries } from "./fixtures.ts";
import { ACME, DAY_MS, START } from "../support/constants.ts";
import { claim, created, pendingIn, requestIn } from "../support/records.ts";

type TestStore = Awaited<ReturnType<typeof openTestStore>>;

async function versionstampOf({ kv }: TestStore): Promise<string | null> {
  return (await kv.get(["idempotency", "acme", "u-1", "k-1"])).versionstamp;
}

Deno.test("findKey returns free for a key that was never used", async () => {
  using test = await openTestStore();
  assertEquals(await test.store.findKey(claim()), { outcome: "free", versionstamp: null });
});

Deno.test("findKey returns the current revision of the request", async () => {
  using test = await openTestStore();
  const appended = await test.store.append(pendingIn(ACME), claim());
  assert(appended.outcome === "stored");
  const fingerprintVersion = FINGERPRINT_VERSION;
  const taken = { outcome: "taken", fingerprint: "f", fingerprintVersion } as const;
  assertEquals(await test.store.findKey(claim()), { ...taken, stored: appended.stored });
  await test.store.finalize(appended.stored, created("42"));
  const stored = await test.store.reload(appended.stored);
  assert(stored?.request.handoff.status === "created");
  assertEquals(await test.store.findKey(claim()), { ...taken, stored });
});

Deno.test("findKey finds no key of another tenant or actor", async () => {
  using test = await openTestStore();
  await test.store.append(requestIn(ACME), claim());
  for (const scope of [{ tenantId: "globex" }, { actorId: "u-2" }, { key: "K-1" }]) {
    assertEquals((await test.store.findKey(claim(scope))).outcome, "free");
  }
});

Deno.test("findKey returns free as soon as the key expires, although KV still has it", async () => {
  using test = await openTestStore();
  await test.store.append(requestIn(ACME), claim());
  test.clock.time += DAY_MS - 1;
  assertEquals((await test.store.findKey(claim())).outcome, "taken");
  test.clock.time += 1;
  const versionstamp = await versionstampOf(test);
  assert(versionstamp !== null);
  assertEquals(await test.store.findKey(claim()), { outcome: "free", versionstamp });
});

Deno.test("append makes the key expire in KV, but not the request", async () => {
  using memory = await Deno.openKv(":memory:");
  const expiries: Expiry[] = [];
  using test = await openTestStore({ kv: withExpiries(memory, expiries) });
  test.clock.time += 1000;
  await test.store.append(requestIn(ACME), claim());
  assertEquals(expiries, [
    ["tenant", undefined],
    ["audit", undefined],
    ["idempotency", DAY_MS - 1000],
  ]);
});

Deno.test("exactly one of 64 concurrent submissions replaces an expired key", async () => {
  using test = await openTestStore();
  await test.store.append(requestIn(ACME), claim());
  test.clock.time += DAY_MS;
  const replaces = await versionstampOf(test);
  const expiresAt = test.clock.time + DAY_MS;
  const appended = await Promise.all(Array.from({ length: 64 }, (_, i) => {
    const replacing = claim({ replaces, expiresAt, fingerprint: String(i) });
    return test.store.append(requestIn(ACME, { now: test.clock.time }), replacing);
  }));
  const won = appended.findIndex(({ outcome }) => outcome === "stored");
  assertEquals(appended.filter(({ outcome }) => outcome === "stored").length, 1);
  const found = await test.store.findKey(claim());
  assert(found.outcome === "taken");
  assertEquals(found.fingerprint, String(won));
  assertEquals(found.stored, await test.store.latest(ACME));
});

Deno.test("findKey returns free if KV has removed the request before the key", async () => {
  using test = await openTestStore();
  const appended = await test.store.append(requestIn(ACME), claim());
  assert(appended.outcome === "stored");
  await test.kv.delete(["tenant", "acme", appended.stored.ts]);
  const versionstamp = await versionstampOf(test);
  assertEquals(await test.store.findKey(claim()), { outcome: "free", versionstamp });
});

Deno.test("findKey rejects a record that does not parse", async () => {
  using test = await openTestStore();
  const key = ["idempotency", "acme", "u-1", "k-1"];
  const elsewhere = { fingerprint: "f", expiresAt: START + DAY_MS };
  const places = [["tenant", "acme"], ["tenant", "acme", "1"], "tenant"];
  const misled = places.map((recordKey) => ({ ...elsewhere, recordKey }));
  for (const broken of [{}, null, elsewhere, ...misled]) {
    await test.kv.set(key, broken);
    await assertRejects(() => test.store.findKey(claim()), ZodError);
  }
  // Nothing but a request is read.
  await test.kv.set(key, { ...elsewhere, recordKey: ["secrets", "acme", 1] });
  assertEquals(await test.store.findKey(claim()), { outcome: "unreadable" });
});
