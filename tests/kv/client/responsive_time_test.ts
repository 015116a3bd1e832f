import { assert, assertEquals, assertGreater, assertLess, assertRejects } from "@std/assert";
import { StoreUnavailableError } from "../../../domain/ports/store.ts";
import { call } from "../../../kv/client/call.ts";
import { FILE_COMMIT_LIMITS, GroupCommit } from "../../../kv/client/group_commit.ts";
import { startTimeout } from "../../../kv/client/responsive_time.ts";
import { openKvFile, temporaryPath } from "../../support/kv_file.ts";
import { wrapKv } from "../../support/wrap_kv.ts";

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Keeps the event loop busy, as more requests than can be processed do. */
function block(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}

const TIMEOUT_MS = 200;

Deno.test("a result that waits for a busy event loop is not a timeout", async () => {
  await using file = await temporaryPath();
  using kv = await openKvFile(file.path);
  const stored = call(kv, (kv) => kv.set(["a"], 1), TIMEOUT_MS);
  block(5 * TIMEOUT_MS);
  assert((await stored).ok);
});

Deno.test("a result is delivered although the event loop is busy from turn to turn", async () => {
  await using file = await temporaryPath();
  using kv = await openKvFile(file.path);
  let isOver = false;
  const busy = (async () => {
    while (!isOver) {
      block(TIMEOUT_MS);
      await pause(0);
    }
  })();
  const commits = new GroupCommit(kv, FILE_COMMIT_LIMITS);
  const changes = Array.from(
    { length: 10 },
    (_, i) => commits.commit({ checks: [], sets: [{ key: ["a"], value: i }] }),
  );
  assert((await Promise.all(changes)).every(({ ok }) => ok), "each of ten commits, one by one");
  isOver = true;
  await busy;
});

Deno.test("a result that arrives in time is delivered if the event loop is then busy", async () => {
  await using file = await temporaryPath();
  using kv = await openKvFile(file.path);
  // The event loop is free until just before the timeout.
  for (const freeMs of [0.7, 0.8, 0.9, 0.95].map((share) => share * TIMEOUT_MS)) {
    const stored = call(kv, async (kv) => {
      await pause(freeMs);
      const result = kv.set(["a"], 1);
      block(2 * TIMEOUT_MS);
      return await result;
    }, TIMEOUT_MS);
    assert((await stored).ok, `busy after ${freeMs} ms`);
  }
});

Deno.test("a timeout ends at most 150 ms late while the event loop is free", async () => {
  for (const offsetMs of [0, 10, 25, 49]) {
    // Another call, so that the timeout starts between two ticks.
    const stopOther = startTimeout(60_000, () => {});
    await pause(offsetMs);
    const started = performance.now();
    await new Promise<void>((resolve) => startTimeout(TIMEOUT_MS, resolve));
    const elapsed = performance.now() - started;
    stopOther();
    assertGreater(elapsed, TIMEOUT_MS - 2);
    // The rest is slack for a machine that is busy with other tests.
    assertLess(elapsed, TIMEOUT_MS + 150 + 500);
  }
});

Deno.test("a timeout that is stopped never ends, and leaves no timer", async () => {
  let ended = 0;
  const stop = startTimeout(0, () => ended++);
  stop();
  stop();
  await pause(150);
  assertEquals(ended, 0);
});

Deno.test("a KV that hangs is a timeout, also while the event loop is busy", async () => {
  using kv = await Deno.openKv(":memory:");
  const hanging = wrapKv(kv, { onRead: () => new Promise(() => {}) });
  const rejected = assertRejects(
    () => call(hanging, (kv) => kv.get(["a"]), 50),
    StoreUnavailableError,
  );
  for (let turn = 0; turn < 5; turn++) {
    block(100);
    await pause(0);
  }
  await rejected;
});
