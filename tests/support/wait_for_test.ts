import { assertEquals, assertRejects } from "@std/assert";
import { waitFor, within } from "./wait_for.ts";

const QUICK = { timeoutMs: 30, intervalMs: 5 };

Deno.test("waitFor resolves with the first value that is accepted", async () => {
  let count = 0;
  assertEquals(await waitFor("three reads", () => ++count, (value) => value === 3, QUICK), 3);
});

Deno.test("waitFor rejects with what it waited for and the last value", async () => {
  const waiting = () => waitFor("the desk responds", () => ["no"], () => false, QUICK);
  await assertRejects(waiting, Error, 'Not within 30 ms: the desk responds. Last: ["no"]');
});

Deno.test("a wait for a promise that never settles rejects with what it waited for", async () => {
  const never = new Promise<boolean>(() => {});
  await assertRejects(() => within("a call", never, 10), Error, "Not within 10 ms: a call");
  await assertRejects(() => waitFor("a call", () => never, Boolean, QUICK), Error, "a call");
});
