import type { LogEvent } from "../../domain/ports/log.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { StoreUnavailableError } from "../../domain/ports/store.ts";
import { call } from "../../kv/client/call.ts";
import { KvConnection } from "../../kv/client/connection.ts";
import { FILE_COMMIT_LIMITS, GroupCommit } from "../../kv/client/group_commit.ts";
import { Readiness } from "../../kv/readiness.ts";
import { lockDatabase, openKvFile, temporaryPath } from "../support/kv_file.ts";
import { type KvHooks, wrapKv } from "../support/wrap_kv.ts";
import { watchedKv } from "./watched_kv.ts";

class StillClock {
  time = 0;
  elapsed = () => this.time;
  wait = () => Promise.resolve();
}

/** Returns the readiness of a KV, and a function that commits over the same connection. */
function readinessOf(kv: Deno.Kv | Promise<Deno.Kv>) {
  const clock = new StillClock();
  const errors: LogEvent[] = [];
  const error = (event: LogEvent) => void errors.push(event);
  const connection = new KvConnection(kv, { clock });
  const readiness = new Readiness(connection, { clock, log: { error } });
  const isReady = () => readiness.isReady();
  const commits = new GroupCommit(connection, FILE_COMMIT_LIMITS);
  let number = 0;
  const submit = () => {
    const key = ["record", ++number];
    return commits.commit({ checks: [{ key, versionstamp: null }], sets: [{ key, value: 1 }] });
  };
  return { connection, isReady, submit, errors, clock };
}

/** A real KV that fails commits while `isFull`, as SQLite does on a full disk. */
function fillable(kv: Deno.Kv) {
  const disk = { isFull: false, commits: 0 };
  const onCommit: KvHooks["onCommit"] = (commit) => {
    disk.commits++;
    return disk.isFull ? Promise.reject(new Error("database or disk is full")) : commit();
  };
  return { disk, kv: wrapKv(kv, { onCommit }) };
}

Deno.test("readiness writes once for a thousand calls within 30 seconds", async () => {
  using kv = await Deno.openKv(":memory:");
  const watched = watchedKv(kv);
  const { isReady, clock } = readinessOf(watched.kv);
  for (const [time, writes] of [[0, 1], [29_999, 1], [30_000, 2], [59_999, 2]] as const) {
    clock.time = time;
    const ready = await Promise.all(Array.from({ length: 1000 }, isReady));
    assertEquals([ready.every(Boolean), watched.commits.length], [true, writes]);
  }
});

Deno.test("readiness writes nothing while real commits succeed", async () => {
  using kv = await Deno.openKv(":memory:");
  const watched = watchedKv(kv);
  const { isReady, submit, clock } = readinessOf(watched.kv);
  for (let i = 0; i < 10; i++) {
    assert((await submit()).ok);
    clock.time += 29_999;
    assertEquals(await isReady(), true);
  }
  assertEquals(watched.commits.every(({ sets }) => sets[0]!.startsWith("record/")), true);
});

Deno.test("a failed commit makes the service not ready until a commit succeeds", async () => {
  using real = await Deno.openKv(":memory:");
  const { disk, kv } = fillable(real);
  const { isReady, submit, errors, clock } = readinessOf(kv);
  await submit();
  disk.isFull = true;
  assertEquals(await isReady(), true);
  await assertRejects(submit, StoreUnavailableError);
  assertEquals(await isReady(), false);
  assertEquals(errors, ["store_unavailable"], "the log says why");
  disk.isFull = false;
  await submit();
  assertEquals(await isReady(), true);
  clock.time += 1000;
  assertEquals(await isReady(), true);
});

Deno.test("an unready service probes every 30 seconds and becomes ready again", async () => {
  using real = await Deno.openKv(":memory:");
  const { disk, kv } = fillable(real);
  const { isReady, clock } = readinessOf(kv);
  disk.isFull = true;
  for (let second = 0; second < 90; second++) {
    clock.time = second * 1000;
    const ready = await Promise.all(Array.from({ length: 20 }, isReady));
    assertEquals(ready.some(Boolean), false);
  }
  assertEquals(disk.commits, 3);
  disk.isFull = false;
  clock.time = 90_000;
  assertEquals(await isReady(), true);
});

Deno.test("a failed check changes nothing about readiness", async () => {
  using real = await Deno.openKv(":memory:");
  const { disk, kv } = fillable(real);
  const { connection, isReady, submit } = readinessOf(kv);
  const commits = new GroupCommit(connection, FILE_COMMIT_LIMITS);
  const conflict = async () => {
    const key = ["record", 1];
    const change = { checks: [{ key, versionstamp: null }], sets: [{ key, value: 2 }] };
    assertEquals((await commits.commit(change)).ok, false);
  };
  await submit();
  await conflict();
  assertEquals(await isReady(), true);
  disk.isFull = true;
  await assertRejects(submit, StoreUnavailableError);
  assertEquals(await isReady(), false);
  // A check fails on a full disk, too.
  disk.isFull = false;
  await conflict();
  assertEquals(await isReady(), false);
});

Deno.test("a successful commit overrides an earlier one that fails later", async () => {
  using kv = await Deno.openKv(":memory:");
  const { connection: { health } } = readinessOf(kv);
  const [first, second] = [health.start(), health.start()];
  health.succeeded(second);
  health.failed(first);
  assertEquals(health.isFailing, false);
  health.failed(health.start());
  assertEquals(health.isFailing, true);
});

Deno.test("readiness probes after a read without a response", async () => {
  using kv = await Deno.openKv(":memory:");
  const { connection, isReady, submit } = readinessOf(kv);
  await submit();
  const hangs = () => new Promise<never>(() => {});
  await assertRejects(() => call(connection, hangs, 10), StoreUnavailableError);
  assertEquals(connection.health.isFailing, true);
  assertEquals(await isReady(), true);
});

Deno.test("the service is not ready while KV is being opened, and then is", async () => {
  using kv = await Deno.openKv(":memory:");
  const opening = Promise.withResolvers<Deno.Kv>();
  const { isReady } = readinessOf(opening.promise);
  const started = performance.now();
  assertEquals(await isReady(), false);
  assert(performance.now() - started < 1_900);
  opening.resolve(kv);
  assertEquals(await isReady(), true);
});

Deno.test("the service is not ready if KV serves reads only, and reads do not wait", async () => {
  await using file = await temporaryPath();
  using kv = await openKvFile(file.path);
  using lock = lockDatabase(file.path);
  const { isReady, clock } = readinessOf(kv);
  const called = isReady();
  assertEquals((await call(kv, (kv) => kv.get(["a"]))).value, null);
  assertEquals(await called, false);
  lock.release();
  clock.time = 30_000;
  assertEquals(await isReady(), true);
});

Deno.test("the service is not ready if KV fails, and the log says why", async () => {
  const kv = await Deno.openKv(":memory:");
  kv.close();
  const { isReady, errors } = readinessOf(kv);
  assertEquals([await isReady(), await isReady()], [false, false]);
  assertEquals(errors, ["store_unavailable"]);
});
