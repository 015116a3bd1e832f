import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { clock } from "../../config/clock.ts";

/** Resolves once the signal aborts, with the name of its reason and the time that it took. */
function aborted(signal: AbortSignal): Promise<{ reason: string; ms: number }> {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => {
      resolve({ reason: signal.reason.name, ms: performance.now() - startedAt });
    });
  });
}

Deno.test("deadlines abort when their time is up, and not before", async () => {
  const first = aborted(clock.deadline(40));
  const shorter = aborted(clock.deadline(20));
  await clock.wait(10);
  const second = aborted(clock.deadline(40));
  const ends = [await shorter, await first, await second];
  assertEquals(ends.map(({ reason }) => reason), Array(3).fill("TimeoutError"));
  assertGreaterOrEqual(ends[0]!.ms, 20);
  assertGreaterOrEqual(ends[1]!.ms, 40);
  assertGreaterOrEqual(ends[2]!.ms, 40);
});

Deno.test("a disposed deadline does not abort, and those beside it do", async () => {
  const disposed = clock.deadline(20);
  const kept = clock.deadline(20);
  disposed[Symbol.dispose]();
  await aborted(kept);
  assert(kept.aborted);
  assert(!disposed.aborted);
});

Deno.test("a deadline that is started when another one ends lasts its own time", async () => {
  const { promise, resolve } = Promise.withResolvers<number>();
  clock.deadline(20).addEventListener("abort", () => {
    const startedAt = performance.now();
    clock.deadline(20).addEventListener("abort", () => resolve(performance.now() - startedAt));
  });
  assertGreaterOrEqual(await promise, 20);
});

// The sanitizer fails this test if a timer is left.
Deno.test("no timer outlives the deadlines that are disposed", () => {
  const deadlines = [clock.deadline(60_000), clock.deadline(60_000), clock.deadline(30_000)];
  for (const deadline of deadlines) deadline[Symbol.dispose]();
  deadlines[0]![Symbol.dispose]();
  assert(deadlines.every(({ aborted }) => !aborted));
});
