import { assertEquals } from "@std/assert";
import { call } from "../../kv/call.ts";
import { createReadiness } from "../../kv/readiness.ts";
import { lockDatabase, openKvFile, temporaryPath } from "./fixtures.ts";

class Elapsed {
  time = 0;
  elapsed = () => this.time;
}

function readinessOf(kv: Deno.Kv | Promise<Deno.Kv>, clock = new Elapsed()) {
  const errors: string[] = [];
  const error = (message: string) => void errors.push(message);
  return { isReady: createReadiness(kv, { clock, log: { error } }), errors };
}

Deno.test("createReadiness is ready where KV takes a write", async () => {
  using kv = await Deno.openKv(":memory:");
  assertEquals(await readinessOf(kv).isReady(), true);
});

Deno.test("createReadiness is not ready within a second while a KV is being opened", async () => {
  const { isReady } = readinessOf(new Promise<Deno.Kv>(() => {}));
  assertEquals(await isReady(), false);
});

Deno.test("createReadiness is not ready where KV answers reads only, and is again afterwards", async () => {
  await using file = await temporaryPath();
  using kv = await openKvFile(file.path);
  using lock = lockDatabase(file.path);
  const clock = new Elapsed();
  const { isReady } = readinessOf(kv, clock);
  const asked = isReady();
  // Asking must not make those wait who read.
  assertEquals((await call(kv, (kv) => kv.get(["a"]))).value, null);
  assertEquals(await asked, false);
  lock.release();
  clock.time += 1000;
  assertEquals(await isReady(), true);
});

Deno.test("createReadiness is not ready where KV fails, and the log says why, once a second", async () => {
  const kv = await Deno.openKv(":memory:");
  kv.close();
  const { isReady, errors } = readinessOf(kv);
  assertEquals([await isReady(), await isReady()], [false, false]);
  assertEquals(errors, ["The store is unavailable"]);
});

Deno.test("createReadiness writes once a second, however often anybody asks", async () => {
  using kv = await Deno.openKv(":memory:");
  const clock = new Elapsed();
  const { isReady } = readinessOf(kv, clock);
  const versionstamp = async () => (await kv.get(["ready"])).versionstamp;
  await Promise.all(Array.from({ length: 100 }, isReady));
  const first = await versionstamp();
  clock.time = 999;
  await isReady();
  assertEquals(await versionstamp(), first);
  clock.time = 1000;
  await isReady();
  assertEquals(await versionstamp() === first, false);
});
