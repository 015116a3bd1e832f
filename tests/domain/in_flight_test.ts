import { assertEquals, assertRejects } from "@std/assert";
import { UnderWay } from "../../domain/in_flight.ts";

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
  underWay.run(`${REFERENCE}1`, 0, () => first!.promise);
  underWay.run(`${REFERENCE}2`, 0, () => second!.promise).catch(() => {});
  const idle = underWay.idle();
  first!.resolve();
  assertEquals(await hasSettled(idle), false);
  underWay.run(`${REFERENCE}3`, 0, () => later!.promise);
  second!.reject(new Error("failed"));
  assertEquals(await hasSettled(idle), false);
  later!.resolve();
  await idle;
});

Deno.test("UnderWay hands the outcome of a handoff on", async () => {
  const underWay = new UnderWay();
  assertEquals(await underWay.run(REFERENCE, 0, () => Promise.resolve(42)), 42);
  const failing = () => underWay.run(REFERENCE, 0, () => Promise.reject(new Error("failed")));
  await assertRejects(failing, Error, "failed");
  await underWay.idle();
});

Deno.test("UnderWay knows a handoff until it ends, whether well or not", async () => {
  const underWay = new UnderWay();
  assertEquals(underWay.has(REFERENCE), false);
  await underWay.run(REFERENCE, 0, () => {
    assertEquals(underWay.has(REFERENCE), true);
    return Promise.resolve();
  });
  assertEquals(underWay.has(REFERENCE), false);
  await assertRejects(() => underWay.run(REFERENCE, 0, () => Promise.reject(new Error("x"))));
  assertEquals(underWay.has(REFERENCE), false);
});

Deno.test("UnderWay tells when the oldest of what has not ended began", async () => {
  const underWay = new UnderWay();
  assertEquals(underWay.oldest(), null);
  const [first, second] = [1, 2].map(() => Promise.withResolvers<void>());
  const runs = [
    underWay.run(`${REFERENCE}1`, 1_000, () => first!.promise),
    underWay.run(`${REFERENCE}2`, 2_000, () => second!.promise),
  ];
  assertEquals(underWay.oldest(), 1_000);
  first!.resolve();
  await runs[0];
  assertEquals(underWay.oldest(), 2_000);
  second!.resolve();
  await runs[1];
  assertEquals(underWay.oldest(), null);
});
