import { assertEquals, assertLess, assertRejects } from "@std/assert";
import { StoreUnavailableError } from "../../../domain/ports/store.ts";
import { call } from "../../../kv/client/call.ts";
import { lockDatabase, openKvFile, temporaryPath } from "../../support/kv_file.ts";

const never = <T>() => new Promise<T>(() => {});

/** Enough for a call on this machine; what is over by then has been cut off. */
const SOON_MS = 1_000;

async function elapsedOf(run: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await run();
  return performance.now() - started;
}

Deno.test("call says that the store is unavailable where KV never answers", async () => {
  using kv = await Deno.openKv(":memory:");
  const elapsed = await elapsedOf(() =>
    assertRejects(() => call(kv, never, 30), StoreUnavailableError, "within 30 ms")
  );
  assertLess(elapsed, SOON_MS);
});

Deno.test("call waits two seconds and no longer unless told otherwise", async () => {
  using kv = await Deno.openKv(":memory:");
  await assertRejects(() => call(kv, never), StoreUnavailableError, "within 2000 ms");
});

Deno.test("call waits for a KV that is being opened", async () => {
  const opening = Deno.openKv(":memory:");
  await call(opening, (kv) => kv.set(["a"], 1));
  using kv = await opening;
  assertEquals((await kv.get(["a"])).value, 1);
});

Deno.test("call writes nothing late into a KV that was opened after the deadline", async () => {
  const opening = Promise.withResolvers<Deno.Kv>();
  const writing = () => call(opening.promise, (kv) => kv.set(["late"], 1), 20);
  await assertRejects(writing, StoreUnavailableError);
  using kv = await Deno.openKv(":memory:");
  opening.resolve(kv);
  // Later than anything the call may still do: it was waiting before this.
  await call(opening.promise, (kv) => kv.set(["next"], 1));
  assertEquals((await kv.get(["late"])).value, null);
});

Deno.test("call says that the store is unavailable where KV fails", async () => {
  const kv = await Deno.openKv(":memory:");
  kv.close();
  await assertRejects(() => call(kv, (kv) => kv.get(["a"])), StoreUnavailableError, "KV failed");
});

Deno.test("call tries again while another handle locks the database, and then writes once", async () => {
  await using file = await temporaryPath();
  using kv = await openKvFile(file.path);
  using lock = lockDatabase(file.path);
  let tries = 0;
  const committed = await call(kv, (kv) => {
    if (++tries === 4) lock.release();
    return kv.atomic().check({ key: ["a"], versionstamp: null }).set(["a"], 1).commit();
  });
  assertEquals(committed.ok, true);
  assertEquals(tries, 4);
});

Deno.test("call gives a database up that stays locked beyond the deadline, and leaves no timer", async () => {
  await using file = await temporaryPath();
  using kv = await openKvFile(file.path);
  using lock = lockDatabase(file.path);
  let tries = 0;
  const writing = () => {
    tries++;
    return kv.atomic().check({ key: ["a"], versionstamp: null }).set(["a"], 1).commit();
  };
  const elapsed = await elapsedOf(() =>
    assertRejects(() => call(kv, writing, 150), StoreUnavailableError, "within 150 ms")
  );
  assertLess(elapsed, SOON_MS);
  const triesBefore = tries;
  lock.release();
  assertEquals((await call(kv, (kv) => kv.get(["a"]))).value, null);
  assertEquals(tries, triesBefore);
});
