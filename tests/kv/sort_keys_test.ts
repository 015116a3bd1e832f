import { assertEquals, assertGreater, assertRejects } from "@std/assert";
import { SortKeyAllocator } from "../../kv/sort_keys.ts";
import { ACME, run, START } from "../support/constants.ts";

/** More contexts than the sequence remembers. */
const MANY = 10_001;

const keep = (ts: number) => Promise.resolve(ts);

async function useManyContexts(sequence: SortKeyAllocator): Promise<void> {
  await Promise.all(Array.from({ length: MANY }, (_, i) => sequence.write(run(`${i}`), 0, keep)));
}

/** A write that ends when it is told to. */
function startWrite(sequence: SortKeyAllocator) {
  const taken = Promise.withResolvers<number>();
  const end = Promise.withResolvers<void>();
  const ended = sequence.write(ACME, START, (ts) => {
    taken.resolve(ts);
    return end.promise;
  });
  const finish = () => {
    end.resolve();
    return ended;
  };
  return { ts: taken.promise, finish };
}

Deno.test("Sequence forgets no context with a write under way, however many others are used", async () => {
  // Nothing is stored yet, so a forgotten context would start at the clock again.
  const sequence = new SortKeyAllocator(() => Promise.resolve(0), true);
  const write = startWrite(sequence);
  const ts = await write.ts;
  await useManyContexts(sequence);
  assertEquals(await sequence.write(ACME, START, keep), ts + 1);
  await write.finish();
});

Deno.test("Sequence reads a context again that it has forgotten", async () => {
  let reads = 0;
  const readLast = () => Promise.resolve(++reads && START * 1000);
  const sequence = new SortKeyAllocator(readLast, true);
  await sequence.write(ACME, 0, keep);
  await sequence.write(ACME, 0, keep);
  assertEquals(reads, 1);
  await useManyContexts(sequence);
  assertEquals(await sequence.write(ACME, 0, keep), START * 1000 + 1);
  assertEquals(reads, 1 + MANY + 1);
});

Deno.test("Sequence keeps the context in mind that was used last", async () => {
  let reads = 0;
  const sequence = new SortKeyAllocator(() => Promise.resolve(++reads), true);
  await sequence.write(ACME, START, keep);
  for (let i = 0; i < MANY; i++) {
    await sequence.write(run(`${i}`), START, keep);
    if (i % 1000 === 0) await sequence.write(ACME, START, keep);
  }
  await sequence.write(ACME, START, keep);
  assertEquals(reads, 1 + MANY);
});

Deno.test("Sequence reads each time where other processes write", async () => {
  const stored = [START * 1000, START * 1000 + 7];
  const sequence = new SortKeyAllocator(() => Promise.resolve(stored.shift() ?? 0), false);
  assertEquals(await sequence.write(ACME, 0, keep), START * 1000 + 1);
  assertEquals(await sequence.write(ACME, 0, keep), START * 1000 + 8);
});

Deno.test("Sequence takes nothing for known after a read that failed", async () => {
  const reads = [() => Promise.reject(new Error("no answer")), () => Promise.resolve(START * 1000)];
  const sequence = new SortKeyAllocator(() => reads.shift()!(), true);
  await assertRejects(() => sequence.write(ACME, 0, keep), Error, "no answer");
  assertEquals(await sequence.write(ACME, 0, keep), START * 1000 + 1);
});

Deno.test("Sequence gives a later sort key after a write that failed or collided", async () => {
  const sequence = new SortKeyAllocator(() => Promise.resolve(0), true);
  let first = 0;
  const failing = (ts: number) => {
    first = ts;
    return Promise.reject(new Error("the write failed"));
  };
  await assertRejects(() => sequence.write(ACME, START, failing));
  const [second, third] = await sequence.write(
    ACME,
    START,
    async (ts, next) => [ts, await next()] as const,
  );
  assertGreater(second, first);
  assertGreater(third, second);
});
