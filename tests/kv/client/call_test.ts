import { assertEquals, assertLess, assertRejects } from "@std/assert";
import { StoreUnavailableError } from "../../../domain/ports/store.ts";
import { call } from "../../../kv/client/call.ts";
import { lockDatabase, openKvFile, temporaryPath } from "../../support/kv_file.ts";

const never = <T>() => new Promise<T>(() => {});

/** Longer than a call on this machine, shorter than what would happen without a timeout. */
const SOON_MS = 1_000;

async function elapsedOf(run: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await run();
  return performance.now() - started;
}

Deno.test("call throws StoreUnavailableError if KV never responds", async () => {
  using kv = await Deno.openKv(":memory:");
  const elapsed = await elapsedOf(() =>
    assertRejects(() => call(kv, never, 30), StoreUnavailableError, "within 30 ms")
  );
  assertLess(elapsed, SOON_MS);
});

Deno.test("call waits for two seconds by default", async () => {
  using kv = await Deno.openKv(":memory:");
  await assertRejects(() => call(kv, never), StoreUnavailableError, "within 2000 ms");
});

Deno.test("call waits for a KV handle that is being opened", async () => {
  const opening = Deno.openKv(":memory:");
  await call(opening, (kv) => kv.set(["a"], 1));
  using kv = await opening;
  assertEquals((await kv.get(["a"])).value, 1);
});

Deno.test("call writes nothing to a KV that opens after the timeout", async () => {
  const opening = Promise.withResolvers<Deno.Kv>();
  const writing = () => call(opening.promise, (kv) => kv.set(["late"], 1), 20);
  await assertRejects(writing, StoreUnavailableError);
  using kv = await Deno.openKv(":memory:");
  opening.resolve(kv);
  // Runs after anything that the first call may still do, which waited before this one.
  await call(opening.promise, (kv) => kv.set(["next"], 1));
  assertEquals((await kv.get(["late"])).value, null);
});

Deno.test("call throws StoreUnavailableError if KV fails", async () => {
  const kv = await Deno.openKv(":memory:");
  kv.close();
  await assertRejects(() => call(kv, (kv) => kv.get(["a"])), StoreUnavailableError, "KV failed");
});

Deno.test("call retries while the database is locked, and then writes once", async () => {
  await using file = await temporaryPath();
  using kv = await openKvFile(file.path);
  using lock = lockDatabase(file.path);
  let attempts = 0;
  const committed = await call(kv, (kv) => {
    if (++attempts === 4) lock.release();
    return kv.atomic().check({ key: ["a"], versionstamp: null }).set(["a"], 1).commit();
  });
  assertEquals(committed.ok, true);
  assertEquals(attempts, 4);
});

Deno.test("call gives up on a locked database at the timeout", async () => {
  await using file = await temporaryPath();
  using kv = await openKvFile(file.path);
  using lock = lockDatabase(file.path);
  let attempts = 0;
  const writing = () => {
    attempts++;
    return kv.atomic().check({ key: ["a"], versionstamp: null }).set(["a"], 1).commit();
  };
  const elapsed = await elapsedOf(() =>
    assertRejects(() => call(kv, writing, 150), StoreUnavailableError, "within 150 ms")
  );
  assertLess(elapsed, SOON_MS);
  const attemptsBefore = attempts;
  lock.release();
  assertEquals((await call(kv, (kv) => kv.get(["a"]))).value, null);
  assertEquals(attempts, attemptsBefore);
});
