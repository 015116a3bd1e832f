import { assert, assertEquals, assertLess } from "@std/assert";
import { removalTime, Retention } from "../../kv/retention.ts";
import { DAY_MS, START } from "../support/constants.ts";
import { claim, requestIn } from "../support/records.ts";
import { ACME } from "../support/constants.ts";
import { type Expiry, openTestStore, withExpiries } from "./fixtures.ts";

const MINUTE_MS = 60_000;

Deno.test("what expires in one minute is removed over an hour, and none of it earlier", () => {
  const times = Array.from({ length: MINUTE_MS }, (_, i) => START + 12_345 + i);
  const removals = Map.groupBy(times, (time) => {
    const delay = removalTime(time) - time;
    assert(0 <= delay && delay < 60 * MINUTE_MS, String(delay));
    return Math.floor(removalTime(time) / MINUTE_MS);
  });
  const largest = Math.max(...[...removals.values()].map((removed) => removed.length));
  assertLess(largest, times.length / 30);
});

Deno.test("a record is expired exactly at the end of its retention period", () => {
  const retention = new Retention(2);
  const since = new Date(START + 30_000).toISOString();
  const end = START + 30_000 + 2 * DAY_MS;
  assertEquals(retention.isExpired(since, end - 1), false);
  assertEquals(retention.isExpired(since, end), true);
});

Deno.test("append spreads the removal of all of its records", async () => {
  using memory = await Deno.openKv(":memory:");
  const expiries: Expiry[] = [];
  using test = await openTestStore({ kv: withExpiries(memory, expiries), retentionDays: 2 });
  test.clock.time = START + 30_000;
  const now = test.clock.time;
  await test.store.append(requestIn(ACME, { now }), claim({ expiresAt: now + DAY_MS }));
  assertEquals(expiries, [
    ["tenant", 2 * DAY_MS + 30 * MINUTE_MS],
    ["audit", 2 * DAY_MS + 30 * MINUTE_MS],
    ["idempotency", DAY_MS + 30 * MINUTE_MS],
  ]);
});
