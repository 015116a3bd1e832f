import { assertEquals, assertRejects } from "@std/assert";
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
  underWay.handOff(`${REFERENCE}1`, () => first!.promise);
  underWay.handOff(`${REFERENCE}2`, () => second!.promise).catch(() => {});
  const idle = underWay.idle();
  first!.resolve();
  assertEquals(await hasSettled(idle), false);
  underWay.handOff(`${REFERENCE}3`, () => later!.promise);
  second!.reject(new Error("failed"));
  assertEquals(await hasSettled(idle), false);
  later!.resolve();
  await idle;
});

Deno.test("UnderWay hands the outcome of a handoff on", async () => {
  const underWay = new UnderWay();
  assertEquals(await underWay.handOff(REFERENCE, () => Promise.resolve(42)), 42);
  const failing = () => underWay.handOff(REFERENCE, () => Promise.reject(new Error("failed")));
  await assertRejects(failing, Error, "failed");
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
