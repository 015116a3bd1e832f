import {
  type Clock,
  type RateDecision,
  type RateLimit,
  StoreUnavailable,
} from "../domain/ports.ts";
import { call, DEADLINE_MS, type KvHandle } from "./client/call.ts";
import { GroupCommit, SHARED } from "./client/group_commit.ts";
import { rateKey } from "./keys.ts";

const MINUTE_MS = 60_000;

/** `id` tells it from another process's that came to the same. */
interface Count {
  count: number;
  id: string;
}

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
      const name = nameOf(tenantId, actorId);
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
  clock: Pick<Clock, "now" | "elapsed">,
): RateLimit {
  const commits = new GroupCommit(kv, { clock, ...SHARED });
  const queues = new Map<string, PromiseWithResolvers<RateDecision>[]>();

  /** How many of `wanted` submissions the minute still has room for. */
  async function grant(key: Deno.KvKey, wanted: number): Promise<number> {
    const giveUp = clock.elapsed() + DEADLINE_MS;
    while (clock.elapsed() < giveUp) {
      const { value, versionstamp } = await call(kv, (kv) => kv.get<Count>(key));
      const count = value?.count ?? 0;
      const granted = Math.min(wanted, perMinute - count);
      if (granted <= 0) return 0;
      const next: Count = { count: count + granted, id: crypto.randomUUID() };
      const committed = await commits.commit({
        checks: [{ key, versionstamp }],
        sets: [{ key, value: next, options: { expireIn: 2 * MINUTE_MS } }],
      });
      if (committed.ok) return granted;
    }
    throw new StoreUnavailable("KV is contended: the rate could not be counted");
  }

  /**
   * Counts what has queued up, all of it with one write: with a write each, a thousand at once
   * would fail against one another some thirty thousand times, at everybody's cost.
   */
  async function drain(
    tenantId: string,
    actorId: string,
    queue: PromiseWithResolvers<RateDecision>[],
  ): Promise<void> {
    while (queue.length > 0) {
      const takes = queue.splice(0);
      const now = clock.now();
      try {
        const key = rateKey(tenantId, actorId, Math.floor(now / MINUTE_MS));
        const granted = await grant(key, takes.length);
        takes.forEach(({ resolve }, i) => resolve(i < granted ? { allowed: true } : refusal(now)));
      } catch (error) {
        // Those who came meanwhile would wait out a deadline of their own, after this one.
        [...takes, ...queue.splice(0)].forEach(({ reject }) => reject(error));
      }
    }
    // At once, or a take could still join a queue that nobody drains.
    queues.delete(nameOf(tenantId, actorId));
  }

  return {
    take(tenantId, actorId) {
      const take = Promise.withResolvers<RateDecision>();
      const queue = queues.get(nameOf(tenantId, actorId));
      if (queue !== undefined) {
        queue.push(take);
      } else {
        const started = [take];
        queues.set(nameOf(tenantId, actorId), started);
        drain(tenantId, actorId, started);
      }
      return take.promise;
    },
  };
}

/** A tenant's id has no slash. */
function nameOf(tenantId: string, actorId: string): string {
  return `${tenantId}/${actorId}`;
}

function refusal(now: number): RateDecision {
  return { allowed: false, retryAfterSeconds: Math.ceil((MINUTE_MS - now % MINUTE_MS) / 1000) };
}
