import { type RateDecision, type RateLimit, StoreUnavailable } from "../domain/ports.ts";
import type { Clock } from "../domain/ports.ts";
import { call, type KvHandle } from "./call.ts";
import { rateKey } from "./keys.ts";

const MINUTE_MS = 60_000;
const MAX_CONFLICTS = 100;

/** No limit. */
export const unlimited: RateLimit = { take: () => Promise.resolve({ allowed: true }) };

/** Counts in memory, by the minute: exact where one process owns the store. */
export function createLocalRateLimit(perMinute: number, clock: Pick<Clock, "now">): RateLimit {
  let counted = -1;
  const counts = new Map<string, number>();
  return {
    take(tenantId, actorId) {
      const now = clock.now();
      const minute = Math.floor(now / MINUTE_MS);
      if (minute !== counted) counts.clear();
      counted = minute;
      const name = `${tenantId}/${actorId}`;
      const count = counts.get(name) ?? 0;
      if (count >= perMinute) return Promise.resolve(refusal(now));
      counts.set(name, count + 1);
      return Promise.resolve({ allowed: true });
    },
  };
}

/**
 * Counts in KV, by the minute: exact across processes. Checked sets rather than `sum`: a sum
 * cannot refuse at the limit, and does not say what it came to.
 */
export function createSharedRateLimit(
  kv: KvHandle,
  perMinute: number,
  clock: Pick<Clock, "now">,
): RateLimit {
  return {
    async take(tenantId, actorId) {
      const now = clock.now();
      const key = rateKey(tenantId, actorId, Math.floor(now / MINUTE_MS));
      for (let tries = 0; tries < MAX_CONFLICTS; tries++) {
        const { value, versionstamp } = await call(kv, (kv) => kv.get<number>(key));
        const count = value ?? 0;
        if (count >= perMinute) return refusal(now);
        const committed = await call(kv, (kv) =>
          kv.atomic()
            .check({ key, versionstamp })
            .set(key, count + 1, { expireIn: 2 * MINUTE_MS })
            .commit());
        if (committed.ok) return { allowed: true };
      }
      throw new StoreUnavailable("KV is contended: the rate could not be counted");
    },
  };
}

function refusal(now: number): RateDecision {
  return { allowed: false, retryAfterSeconds: Math.ceil((MINUTE_MS - now % MINUTE_MS) / 1000) };
}
