import type { Clock } from "../domain/ports/clock.ts";
import type { RateDecision, RateLimit } from "../domain/ports/rate_limit.ts";
import { StoreUnavailableError } from "../domain/ports/store.ts";
import { call, CALL_TIMEOUT_MS, type KvHandle } from "./client/call.ts";
import { GroupCommit, SERVER_COMMIT_LIMITS } from "./client/group_commit.ts";
import { rateKey } from "./keys.ts";

const MINUTE_MS = 60_000;

/** `id` tells it from another process's that came to the same. */
interface Count {
  count: number;
  id: string;
}

/** No limit. */
export const unlimited: RateLimit = { consume: () => Promise.resolve({ allowed: true }) };

/** Counts in memory, by the minute: exact where one process owns the store. */
export function createLocalRateLimit(perMinute: number, clock: Pick<Clock, "now">): RateLimit {
  let counted = -1;
  const counts = new Map<string, number>();
  return {
    consume(tenantId, actorId) {
      const now = clock.now();
      const minute = Math.floor(now / MINUTE_MS);
      if (minute !== counted) counts.clear();
      counted = minute;
      const name = counterId(tenantId, actorId);
      const count = counts.get(name) ?? 0;
      if (count >= perMinute) return Promise.resolve(rejection(now));
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
  const commits = new GroupCommit(kv, { clock, ...SERVER_COMMIT_LIMITS });
  const queues = new Map<string, PromiseWithResolvers<RateDecision>[]>();

  /** How many of `wanted` submissions the minute still has room for. */
  async function grant(key: Deno.KvKey, wanted: number): Promise<number> {
    const giveUp = clock.elapsed() + CALL_TIMEOUT_MS;
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
    throw new StoreUnavailableError("KV is contended: the rate could not be counted");
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
        takes.forEach(({ resolve }, i) =>
          resolve(i < granted ? { allowed: true } : rejection(now))
        );
      } catch (error) {
        // Those who came meanwhile would wait out a deadline of their own, after this one.
        [...takes, ...queue.splice(0)].forEach(({ reject }) => reject(error));
      }
    }
    // At once, or a take could still join a queue that nobody drains.
    queues.delete(counterId(tenantId, actorId));
  }

  return {
    consume(tenantId, actorId) {
      const take = Promise.withResolvers<RateDecision>();
      const queue = queues.get(counterId(tenantId, actorId));
      if (queue !== undefined) {
        queue.push(take);
      } else {
        const started = [take];
        queues.set(counterId(tenantId, actorId), started);
        drain(tenantId, actorId, started);
      }
      return take.promise;
    },
  };
}

/** A tenant's id has no slash. */
function counterId(tenantId: string, actorId: string): string {
  return `${tenantId}/${actorId}`;
}

function rejection(now: number): RateDecision {
  return { allowed: false, retryAfterSeconds: Math.ceil((MINUTE_MS - now % MINUTE_MS) / 1000) };
}
