import { assert, assertEquals, assertGreater, assertRejects } from "@std/assert";
import fc from "fast-check";
import type { SupportContext } from "../../domain/model/context.ts";
import { type Store, StoreUnavailableError } from "../../domain/ports/store.ts";
import { openTestStore } from "./fixtures.ts";
import { ACME, run, START } from "../support/constants.ts";
import { dump, temporaryPath } from "../support/kv_file.ts";
import { claim, requestIn } from "../support/records.ts";
import { wrapKv } from "../support/wrap_kv.ts";

async function append(store: Store, context: SupportContext, now = START): Promise<number> {
  const appended = await store.append(requestIn(context, { now }));
  assert(appended.outcome === "stored");
  return appended.stored.ts;
}

const ascending = (numbers: number[]) => numbers.toSorted((a, b) => a - b);

for (const isExclusive of [true, false]) {
  const store = isExclusive ? "an exclusive store" : "a shared store";

  Deno.test(`64 concurrent requests of a context get 64 sort keys in ${store}`, async () => {
    using test = await openTestStore({ isExclusive });
    const keys = await Promise.all(Array.from({ length: 64 }, () => append(test.store, ACME)));
    assertEquals(
      ascending(keys),
      Array.from({ length: 64 }, (_, i) => START * 1000 + i),
    );
    assertEquals((await dump(test.kv)).length, 128);
  });

  Deno.test(`requests of ${store} sort in order however the clock jumps`, async () => {
    using test = await openTestStore({ isExclusive });
    let runs = 0;
    const waves = fc.array(
      fc.record({ jump: fc.integer({ min: -1e9, max: 1e9 }), parallel: fc.nat({ max: 4 }) }),
      { minLength: 2, maxLength: 6 },
    );
    await fc.assert(
      fc.asyncProperty(waves, async (waves) => {
        const context = run(`r-${runs++}`);
        let acknowledged = 0;
        for (const { jump, parallel } of waves) {
          const keys = await Promise.all(
            Array.from({ length: parallel + 1 }, () => append(test.store, context, START + jump)),
          );
          assertEquals(new Set(keys).size, keys.length);
          assertGreater(Math.min(...keys), acknowledged);
          acknowledged = Math.max(...keys);
          assertEquals((await test.store.latest(context))?.ts, acknowledged);
        }
      }),
      { numRuns: 40 },
    );
  });
}

Deno.test("two processes on one KV give every request a distinct sort key", async () => {
  using one = await openTestStore({ isExclusive: false });
  using other = await openTestStore({ isExclusive: false, kv: one.kv });
  const keys = await Promise.all(
    Array.from({ length: 64 }, (_, i) => append(i % 2 ? one.store : other.store, ACME)),
  );
  assertEquals(new Set(keys).size, 64);
  const requests = await Array.fromAsync(one.kv.list({ prefix: ["tenant", "acme"] }));
  assertEquals(requests.map(({ key }) => key[2]), ascending(keys));
});

Deno.test("64 processes can append to one context concurrently", async () => {
  using test = await openTestStore({ isExclusive: false });
  const { kv } = test;
  const stores = await Promise.all(
    Array.from({ length: 64 }, () => openTestStore({ isExclusive: false, kv })),
  );
  const keys = await Promise.all(stores.map(({ store }) => append(store, ACME)));
  assertEquals(new Set(keys).size, 64);
});

Deno.test("a request sorts after those of a process whose clock is fast", async () => {
  using fast = await openTestStore({ isExclusive: false });
  using slow = await openTestStore({ isExclusive: false, kv: fast.kv });
  for (let i = 0; i < 3; i++) {
    const ahead = await append(fast.store, ACME, START + 3_600_000);
    assertGreater(await append(slow.store, ACME, START), ahead);
  }
});

Deno.test("a request sorts after those stored before a restart with an earlier clock", async () => {
  await using file = await temporaryPath();
  let last = 0;
  for (const now of [START, START - 3_600_000, START - 7_200_000]) {
    using kv = await Deno.openKv(file.path);
    using test = await openTestStore({ kv });
    assertEquals((await test.store.latest(ACME))?.ts ?? 0, last);
    const ts = await append(test.store, ACME, now);
    assertGreater(ts, last);
    last = ts;
  }
});

Deno.test("append uses the next free sort key if one is taken", async () => {
  using test = await openTestStore();
  const ts = await append(test.store, ACME);
  for (const taken of [ts + 1, ts + 2, ts + 3]) {
    await test.kv.set(["tenant", "acme", taken], requestIn(ACME));
  }
  assertEquals(await append(test.store, ACME), ts + 4);
});

Deno.test("append with an idempotency key uses the next free sort key", async () => {
  using test = await openTestStore();
  const ts = await append(test.store, ACME);
  for (const taken of [ts + 1, ts + 2]) {
    await test.kv.set(["tenant", "acme", taken], requestIn(ACME));
  }
  const request = requestIn(ACME);
  const appended = await test.store.append(request, claim());
  assert(appended.outcome === "stored");
  assertEquals(appended.stored.ts, ts + 3);
  const found = await test.store.findKey(claim());
  assert(found.outcome === "taken");
  assertEquals(found.stored, appended.stored);
  // If the idempotency key is taken, no other sort key is tried.
  assertEquals(await test.store.append(requestIn(ACME), claim()), { outcome: "key_taken" });
});

/** Returns a KV on which somebody else takes the next sort key after each read of the last one. */
function withFasterRival(kv: Deno.Kv, context: SupportContext): Deno.Kv {
  return wrapKv(kv, {
    async onRead(read, { method }) {
      const result = await read();
      if (method !== "list") return result;
      const [last] = result as Deno.KvEntry<unknown>[];
      const next = Number(last!.key.at(-1)) + 1;
      await kv.set([...last!.key.slice(0, -1), next], requestIn(context));
      return result;
    },
  });
}

Deno.test("append gives up after a limited number of taken sort keys", async () => {
  using test = await openTestStore();
  await append(test.store, ACME);
  const kv = withFasterRival(test.kv, ACME);
  using behind = await openTestStore({ kv, isExclusive: false });
  await assertRejects(
    () => append(behind.store, ACME),
    StoreUnavailableError,
    "sort keys in a row",
  );
  const audited = await Array.fromAsync(test.kv.list({ prefix: ["audit"] }));
  assertEquals(audited.length, 1);
});
