import { assertEquals, assertGreater, assertRejects } from "@std/assert";
import { SortKeyAllocator } from "../../kv/sort_keys.ts";
import { ACME, run, START } from "../support/constants.ts";

/** More contexts than the allocator has in memory. */
const MANY = 10_001;

const store = (ts: number) => Promise.resolve(ts);

async function useManyContexts(sortKeys: SortKeyAllocator): Promise<void> {
  await Promise.all(Array.from({ length: MANY }, (_, i) => sortKeys.write(run(`${i}`), 0, store)));
}

/** Starts a write that ends when `finish` is called. */
function startWrite(sortKeys: SortKeyAllocator) {
  const taken = Promise.withResolvers<number>();
  const end = Promise.withResolvers<void>();
  const ended = sortKeys.write(ACME, START, (ts) => {
    taken.resolve(ts);
    return end.promise;
  });
  const finish = () => {
    end.resolve();
    return ended;
  };
  return { ts: taken.promise, finish };
}

Deno.test("SortKeyAllocator never evicts a context with a write in flight", async () => {
  // Nothing is stored yet, so an evicted context would start at the clock again.
  const sortKeys = new SortKeyAllocator(() => Promise.resolve(0), true);
  const write = startWrite(sortKeys);
  const ts = await write.ts;
  await useManyContexts(sortKeys);
  assertEquals(await sortKeys.write(ACME, START, store), ts + 1);
  await write.finish();
});

Deno.test("SortKeyAllocator reads the last key again after an eviction", async () => {
  let reads = 0;
  const readLast = () => Promise.resolve(++reads && START * 1000);
  const sortKeys = new SortKeyAllocator(readLast, true);
  await sortKeys.write(ACME, 0, store);
  await sortKeys.write(ACME, 0, store);
  assertEquals(reads, 1);
  await useManyContexts(sortKeys);
  assertEquals(await sortKeys.write(ACME, 0, store), START * 1000 + 1);
  assertEquals(reads, 1 + MANY + 1);
});

Deno.test("SortKeyAllocator evicts the least recently used context", async () => {
  let reads = 0;
  const sortKeys = new SortKeyAllocator(() => Promise.resolve(++reads), true);
  await sortKeys.write(ACME, START, store);
  for (let i = 0; i < MANY; i++) {
    await sortKeys.write(run(`${i}`), START, store);
    if (i % 1000 === 0) await sortKeys.write(ACME, START, store);
  }
  await sortKeys.write(ACME, START, store);
  assertEquals(reads, 1 + MANY);
});

Deno.test("SortKeyAllocator reads before each write if other processes write", async () => {
  const stored = [START * 1000, START * 1000 + 7];
  const sortKeys = new SortKeyAllocator(() => Promise.resolve(stored.shift() ?? 0), false);
  assertEquals(await sortKeys.write(ACME, 0, store), START * 1000 + 1);
  assertEquals(await sortKeys.write(ACME, 0, store), START * 1000 + 8);
});

Deno.test("SortKeyAllocator reads again after a failed read", async () => {
  const reads = [
    () => Promise.reject(new Error("no response")),
    () => Promise.resolve(START * 1000),
  ];
  const sortKeys = new SortKeyAllocator(() => reads.shift()!(), true);
  await assertRejects(() => sortKeys.write(ACME, 0, store), Error, "no response");
  assertEquals(await sortKeys.write(ACME, 0, store), START * 1000 + 1);
});

Deno.test("SortKeyAllocator allocates a later key after a failed write or a collision", async () => {
  const sortKeys = new SortKeyAllocator(() => Promise.resolve(0), true);
  let first = 0;
  const failing = (ts: number) => {
    first = ts;
    return Promise.reject(new Error("the write failed"));
  };
  await assertRejects(() => sortKeys.write(ACME, START, failing));
  const [second, third] = await sortKeys.write(
    ACME,
    START,
    async (ts, next) => [ts, await next()] as const,
  );
  assertGreater(second, first);
  assertGreater(third, second);
});
