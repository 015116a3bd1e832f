import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { UnderWay } from "../../domain/under_way.ts";

const REFERENCE = "SR-01K9000000000000000000000A";

/** Whether a promise has settled by the time that everything that can run has run. */
async function hasSettled(promise: Promise<unknown>): Promise<boolean> {
  let isSettled = false;
  const settle = () => void (isSettled = true);
  promise.then(settle, settle);
  for (let i = 0; i < 10; i++) await Promise.resolve();
  return isSettled;
}

Deno.test("UnderWay is idle where there is nothing to do", async () => {
  await new UnderWay().idle();
});

Deno.test("UnderWay is idle when all work has ended, what failed and what came later included", async () => {
  const underWay = new UnderWay();
  const [first, second, later] = [1, 2, 3].map(() => Promise.withResolvers<void>());
  underWay.track(first!.promise);
  underWay.track(second!.promise).catch(() => {});
  const idle = underWay.idle();
  first!.resolve();
  assertEquals(await hasSettled(idle), false);
  underWay.track(later!.promise);
  second!.reject(new Error("failed"));
  assertEquals(await hasSettled(idle), false);
  later!.resolve();
  await idle;
});

Deno.test("UnderWay hands the outcome of tracked work on", async () => {
  const underWay = new UnderWay();
  const work = Promise.resolve(42);
  assertStrictEquals(underWay.track(work), work);
  assertEquals(await work, 42);
  await assertRejects(() => underWay.track(Promise.reject(new Error("failed"))), Error, "failed");
  await underWay.idle();
});

Deno.test("UnderWay knows a handoff until it ends, whether well or not", async () => {
  const underWay = new UnderWay();
  assertEquals(underWay.isHandingOff(REFERENCE), false);
  await underWay.handOff(REFERENCE, () => {
    assertEquals(underWay.isHandingOff(REFERENCE), true);
    return Promise.resolve();
  });
  assertEquals(underWay.isHandingOff(REFERENCE), false);
  await assertRejects(() => underWay.handOff(REFERENCE, () => Promise.reject(new Error("x"))));
  assertEquals(underWay.isHandingOff(REFERENCE), false);
});
