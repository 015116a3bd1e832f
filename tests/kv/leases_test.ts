import { assert, assertEquals, assertRejects } from "@std/assert";
import { ZodError } from "zod";
import { mintReference } from "../../domain/reference.ts";
import { dump, type Expiry, openTestStore, START, withExpiries } from "./fixtures.ts";

const reference = mintReference(START);

Deno.test("takeLease gives a lease to one of 64 that ask for it", async () => {
  using test = await openTestStore();
  const leases = await Promise.all(
    Array.from({ length: 64 }, () => test.store.takeLease(reference, START + 1000)),
  );
  assertEquals(leases.filter((lease) => lease !== null).length, 1);
});

Deno.test("takeLease gives a lease that is over to one of 64 that ask for it", async () => {
  using test = await openTestStore();
  assert(await test.store.takeLease(reference, START + 1000));
  test.clock.time = START + 1000;
  const leases = await Promise.all(
    Array.from({ length: 64 }, () => test.store.takeLease(reference, START + 2000)),
  );
  assertEquals(leases.filter((lease) => lease !== null).length, 1);
});

Deno.test("takeLease gives a lease again only when its time is over", async () => {
  using test = await openTestStore();
  assert(await test.store.takeLease(reference, START + 1000));
  test.clock.time = START + 999;
  assertEquals(await test.store.takeLease(reference, START + 5000), null);
  test.clock.time = START + 1000;
  assert(await test.store.takeLease(reference, START + 5000));
});

Deno.test("takeLease lets KV drop the lease when its time is over", async () => {
  using memory = await Deno.openKv(":memory:");
  const expiries: Expiry[] = [];
  using test = await openTestStore({ kv: withExpiries(memory, expiries) });
  await test.store.takeLease(reference, START + 1000);
  assertEquals(expiries, [["lease", 1000]]);
});

Deno.test("takeLease of one request leaves another's alone", async () => {
  using test = await openTestStore();
  assert(await test.store.takeLease(reference, START + 1000));
  assert(await test.store.takeLease(mintReference(START), START + 1000));
});

Deno.test("releaseLease lets the next one in", async () => {
  using test = await openTestStore();
  const lease = await test.store.takeLease(reference, START + 1000);
  assert(lease !== null);
  await test.store.releaseLease(lease);
  assertEquals(await dump(test.kv), []);
  assert(await test.store.takeLease(reference, START + 1000));
});

Deno.test("releaseLease by whoever held it before leaves the present holder's lease", async () => {
  using test = await openTestStore();
  const late = await test.store.takeLease(reference, START + 1000);
  assert(late !== null);
  test.clock.time = START + 1000;
  assert(await test.store.takeLease(reference, START + 5000));
  await test.store.releaseLease(late);
  assertEquals(await test.store.takeLease(reference, START + 5000), null);
});

Deno.test("takeLease is no change: it leaves no audit event", async () => {
  using test = await openTestStore();
  await test.store.takeLease(reference, START + 1000);
  assertEquals((await dump(test.kv)).map(({ key }) => key), [["lease", reference]]);
});

Deno.test("takeLease refuses a record of another shape", async () => {
  using test = await openTestStore();
  await test.kv.set(["lease", reference], { holder: "somebody" });
  await assertRejects(() => test.store.takeLease(reference, START + 1000), ZodError);
});
