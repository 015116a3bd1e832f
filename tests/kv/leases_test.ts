import { assert, assertEquals, assertRejects } from "@std/assert";
import { ZodError } from "zod";
import type { Lease } from "../../domain/ports/store.ts";
import { generateReference } from "../../domain/model/reference.ts";
import { type Expiry, openTestStore, withExpiries } from "./fixtures.ts";
import { START } from "../support/constants.ts";
import { dump } from "../support/kv_file.ts";

const reference = generateReference(START);

async function take(
  { store }: Awaited<ReturnType<typeof openTestStore>>,
  reference: string,
  until: number,
): Promise<Lease> {
  const attempt = await store.acquireLease(reference, until);
  assert(attempt.outcome === "acquired");
  return attempt.lease;
}

Deno.test("exactly one of 64 concurrent calls acquires a lease", async () => {
  using test = await openTestStore();
  const leases = await Promise.all(
    Array.from({ length: 64 }, () => test.store.acquireLease(reference, START + 1000)),
  );
  assertEquals(leases.filter(({ outcome }) => outcome === "acquired").length, 1);
});

Deno.test("exactly one of 64 concurrent calls acquires an expired lease", async () => {
  using test = await openTestStore();
  await take(test, reference, START + 1000);
  test.clock.time = START + 1000;
  const leases = await Promise.all(
    Array.from({ length: 64 }, () => test.store.acquireLease(reference, START + 2000)),
  );
  assertEquals(leases.filter(({ outcome }) => outcome === "acquired").length, 1);
});

Deno.test("a lease can be acquired again only after it has expired", async () => {
  using test = await openTestStore();
  await take(test, reference, START + 1000);
  test.clock.time = START + 999;
  const held = { outcome: "held", until: START + 1000 } as const;
  assertEquals(await test.store.acquireLease(reference, START + 5000), held);
  test.clock.time = START + 1000;
  await take(test, reference, START + 5000);
});

Deno.test("acquireLease makes the lease expire in KV", async () => {
  using memory = await Deno.openKv(":memory:");
  const expiries: Expiry[] = [];
  using test = await openTestStore({ kv: withExpiries(memory, expiries) });
  await test.store.acquireLease(reference, START + 1000);
  assertEquals(expiries, [["lease", 1000]]);
});

Deno.test("leases of different requests are independent", async () => {
  using test = await openTestStore();
  await take(test, reference, START + 1000);
  await take(test, generateReference(START), START + 1000);
});

Deno.test("a released lease can be acquired again", async () => {
  using test = await openTestStore();
  const lease = await take(test, reference, START + 1000);
  await test.store.releaseLease(lease);
  assertEquals(await dump(test.kv), []);
  await take(test, reference, START + 1000);
});

Deno.test("releaseLease by a former holder does not release the present lease", async () => {
  using test = await openTestStore();
  const late = await take(test, reference, START + 1000);
  test.clock.time = START + 1000;
  await take(test, reference, START + 5000);
  await test.store.releaseLease(late);
  assertEquals((await test.store.acquireLease(reference, START + 5000)).outcome, "held");
});

Deno.test("acquireLease writes no audit event", async () => {
  using test = await openTestStore();
  await test.store.acquireLease(reference, START + 1000);
  assertEquals((await dump(test.kv)).map(({ key }) => key), [["lease", reference]]);
});

Deno.test("acquireLease rejects a record that does not parse", async () => {
  using test = await openTestStore();
  await test.kv.set(["lease", reference], { holder: "somebody" });
  await assertRejects(() => test.store.acquireLease(reference, START + 1000), ZodError);
});
