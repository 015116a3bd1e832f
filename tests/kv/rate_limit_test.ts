import { assertEquals, assertGreaterOrEqual, assertLessOrEqual, assertRejects } from "@std/assert";
import type { RateLimit } from "../../domain/ports/rate_limit.ts";
import { StoreUnavailableError } from "../../domain/ports/store.ts";
import { CALL_TIMEOUT_MS } from "../../kv/client/call.ts";
import { LocalRateLimit, SharedRateLimit, unlimited } from "../../kv/rate_limit.ts";
import { type Expiry, withExpiries } from "./fixtures.ts";
import { FakeClock } from "../support/clock.ts";
import { START } from "../support/constants.ts";
import { wrapKv } from "../support/wrap_kv.ts";

/** `START` is the first millisecond of a minute. */
const MINUTE_MS = 60_000;

async function countAllowed(decisions: Promise<{ allowed: boolean }>[]): Promise<number> {
  return (await Promise.all(decisions)).filter(({ allowed }) => allowed).length;
}

function many(count: number, limit: RateLimit): Promise<{ allowed: boolean }>[] {
  return Array.from({ length: count }, () => limit.consume("acme", "u-1"));
}

const limits = {
  LocalRateLimit: (_: Deno.Kv, perMinute: number, clock: FakeClock) =>
    new LocalRateLimit(perMinute, clock),
  SharedRateLimit: (kv: Deno.Kv, perMinute: number, clock: FakeClock) =>
    new SharedRateLimit(kv, perMinute, clock),
};

for (const [name, create] of Object.entries(limits)) {
  Deno.test(`${name} allows exactly its limit of concurrent submissions`, async () => {
    using kv = await Deno.openKv(":memory:");
    for (const perMinute of [1, 30, 150, 1000]) {
      const limit = create(kv, perMinute, new FakeClock());
      const decisions = [...many(500, limit), ...many(600, limit)];
      assertEquals(await countAllowed(decisions), perMinute);
      await kv.delete(["rate", "acme", "u-1", START / MINUTE_MS]);
    }
  });

  Deno.test(`${name} starts again with the next minute and returns when`, async () => {
    using kv = await Deno.openKv(":memory:");
    const clock = new FakeClock();
    const limit = create(kv, 2, clock);
    assertEquals(await countAllowed(many(2, limit)), 2);
    for (const [ms, retryAfterSeconds] of [[0, 60], [1, 60], [1000, 59], [59_999, 1]] as const) {
      clock.time = START + ms;
      assertEquals(await limit.consume("acme", "u-1"), { allowed: false, retryAfterSeconds });
    }
    clock.time = START + MINUTE_MS;
    assertEquals(await countAllowed(many(5, limit)), 2);
  });

  Deno.test(`${name} counts each actor in each tenant separately`, async () => {
    using kv = await Deno.openKv(":memory:");
    const limit = create(kv, 1, new FakeClock());
    const who = [["acme", "u-1"], ["acme", "u-2"], ["globex", "u-1"], ["acme", "u-1/x"]] as const;
    for (const [tenantId, actorId] of who) {
      assertEquals(await limit.consume(tenantId, actorId), { allowed: true });
    }
    for (const [tenantId, actorId] of who) {
      assertEquals((await limit.consume(tenantId, actorId)).allowed, false);
    }
  });
}

Deno.test("SharedRateLimit counts across processes", async () => {
  using kv = await Deno.openKv(":memory:");
  const clock = new FakeClock();
  const processes = Array.from({ length: 4 }, () => new SharedRateLimit(kv, 30, clock));
  assertEquals(await countAllowed(processes.flatMap((limit) => many(50, limit))), 30);
});

Deno.test("SharedRateLimit counts many concurrent submissions in few writes", async () => {
  using kv = await Deno.openKv(":memory:");
  let writes = 0;
  const counted = wrapKv(kv, { onCommit: (commit) => (writes++, commit()) });
  await Promise.all(many(1000, new SharedRateLimit(counted, 1000, new FakeClock())));
  assertLessOrEqual(writes, 2);
});

Deno.test("SharedRateLimit makes a counter expire in KV after its minute", async () => {
  using kv = await Deno.openKv(":memory:");
  const expiries: Expiry[] = [];
  await new SharedRateLimit(withExpiries(kv, expiries), 30, new FakeClock()).consume(
    "acme",
    "u-1",
  );
  assertEquals(expiries, [["rate", 2 * MINUTE_MS]]);
});

Deno.test("SharedRateLimit rejects all submissions if KV fails", async () => {
  const kv = await Deno.openKv(":memory:");
  kv.close();
  const limit = new SharedRateLimit(kv, 30, new FakeClock());
  for (let i = 0; i < 2; i++) {
    const settled = await Promise.allSettled(many(10, limit));
    assertEquals(new Set(settled.map(({ status }) => status)), new Set(["rejected"]));
  }
});

Deno.test("SharedRateLimit rejects submissions queued while KV hung", async () => {
  using kv = await Deno.openKv(":memory:");
  const started = Promise.withResolvers<void>();
  const hung = Promise.withResolvers<never>();
  let reads = 0;
  const hanging = wrapKv(kv, { onRead: () => (reads++, started.resolve(), hung.promise) });
  const limit = new SharedRateLimit(hanging, 30, new FakeClock());
  const [first] = many(1, limit);
  await started.promise;
  const settled = Promise.allSettled([first, ...many(10, limit)]);
  hung.reject(new Error("no response"));
  assertEquals(new Set((await settled).map(({ status }) => status)), new Set(["rejected"]));
  assertEquals(reads, 1);
});

/**
 * Returns a handle whose every read is followed by another process's count, after what `delay`
 * returns, unless that is null.
 */
function withRival(kv: Deno.Kv, delay: () => Promise<void> | null): Deno.Kv {
  return wrapKv(kv, {
    async onRead(read, { method, keys }) {
      const result = await read();
      const delayed = method === "get" ? delay() : null;
      if (delayed === null) return result;
      await delayed;
      await kv.set(keys[0]!, { count: 0, id: crypto.randomUUID() });
      return result;
    },
  });
}

Deno.test("SharedRateLimit retries until the timeout if others keep counting", async () => {
  using kv = await Deno.openKv(":memory:");
  const rival = withRival(kv, () => new Promise((resolve) => setTimeout(resolve, 20)));
  const limit = new SharedRateLimit(rival, 30, new FakeClock());
  const started = performance.now();
  await assertRejects(() => limit.consume("acme", "u-1"), StoreUnavailableError, "contention");
  assertGreaterOrEqual(performance.now() - started, CALL_TIMEOUT_MS);
});

Deno.test("SharedRateLimit counts a submission although the event loop was busy", async () => {
  using kv = await Deno.openKv(":memory:");
  let conflicts = 0;
  const rival = withRival(kv, () => {
    if (conflicts++ > 0) return null;
    for (const end = performance.now() + CALL_TIMEOUT_MS + 500; performance.now() < end;);
    return Promise.resolve();
  });
  const limit = new SharedRateLimit(rival, 30, new FakeClock());
  assertEquals(await limit.consume("acme", "u-1"), { allowed: true });
  assertEquals(conflicts, 2);
});

Deno.test("unlimited allows any number", async () => {
  assertEquals(await countAllowed(many(1000, unlimited)), 1000);
});
