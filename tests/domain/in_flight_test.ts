import { assertEquals, assertRejects } from "@std/assert";
import { InFlightTracker } from "../../domain/in_flight.ts";

const REFERENCE = "SR-01K9000000000000000000000A";

/** Returns whether a promise has settled once all pending microtasks have run. */
async function hasSettled(promise: Promise<unknown>): Promise<boolean> {
  let isSettled = false;
  const settle = () => void (isSettled = true);
  promise.then(settle, settle);
  for (let i = 0; i < 10; i++) await Promise.resolve();
  return isSettled;
}

Deno.test("InFlightTracker is drained if nothing was started", async () => {
  await new InFlightTracker().drained();
});

Deno.test("InFlightTracker is drained once all work has ended, even failed and later work", async () => {
  const inFlight = new InFlightTracker();
  const [first, second, later] = [1, 2, 3].map(() => Promise.withResolvers<void>());
  inFlight.run(`${REFERENCE}1`, 0, () => first!.promise);
  inFlight.run(`${REFERENCE}2`, 0, () => second!.promise).catch(() => {});
  const drained = inFlight.drained();
  first!.resolve();
  assertEquals(await hasSettled(drained), false);
  inFlight.run(`${REFERENCE}3`, 0, () => later!.promise);
  second!.reject(new Error("failed"));
  assertEquals(await hasSettled(drained), false);
  later!.resolve();
  await drained;
});

Deno.test("InFlightTracker returns the result of the work, or rejects as it does", async () => {
  const inFlight = new InFlightTracker();
  assertEquals(await inFlight.run(REFERENCE, 0, () => Promise.resolve(42)), 42);
  const failing = () => inFlight.run(REFERENCE, 0, () => Promise.reject(new Error("failed")));
  await assertRejects(failing, Error, "failed");
  await inFlight.drained();
});

Deno.test("InFlightTracker has a request until its work succeeds or fails", async () => {
  const inFlight = new InFlightTracker();
  assertEquals(inFlight.has(REFERENCE), false);
  await inFlight.run(REFERENCE, 0, () => {
    assertEquals(inFlight.has(REFERENCE), true);
    return Promise.resolve();
  });
  assertEquals(inFlight.has(REFERENCE), false);
  await assertRejects(() => inFlight.run(REFERENCE, 0, () => Promise.reject(new Error("x"))));
  assertEquals(inFlight.has(REFERENCE), false);
});

Deno.test("InFlightTracker measures how many requests are in flight, and the oldest", async () => {
  const inFlight = new InFlightTracker();
  assertEquals(inFlight.measure(5_000), { count: 0, oldestAgeMs: 0 });
  await inFlight.run(REFERENCE, 2_000, () => {
    assertEquals(inFlight.measure(5_000), { count: 1, oldestAgeMs: 3_000 });
    return Promise.resolve();
  });
  assertEquals(inFlight.measure(5_000), { count: 0, oldestAgeMs: 0 });
});

Deno.test("InFlightTracker returns the start of the oldest request in flight", async () => {
  const inFlight = new InFlightTracker();
  assertEquals(inFlight.oldestStart(), null);
  const [first, second] = [1, 2].map(() => Promise.withResolvers<void>());
  const runs = [
    inFlight.run(`${REFERENCE}1`, 1_000, () => first!.promise),
    inFlight.run(`${REFERENCE}2`, 2_000, () => second!.promise),
  ];
  assertEquals(inFlight.oldestStart(), 1_000);
  first!.resolve();
  await runs[0];
  assertEquals(inFlight.oldestStart(), 2_000);
  second!.resolve();
  await runs[1];
  assertEquals(inFlight.oldestStart(), null);
});
