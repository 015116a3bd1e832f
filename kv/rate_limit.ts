import type { Clock } from "../domain/ports/clock.ts";
import type { RateDecision, RateLimit } from "../domain/ports/rate_limit.ts";
import { StoreUnavailableError } from "../domain/ports/store.ts";
import { call, CALL_TIMEOUT_MS, type KvHandle } from "./client/call.ts";
import { GroupCommit, SERVER_COMMIT_LIMITS } from "./client/group_commit.ts";
import { rateKey } from "./keys.ts";

const MINUTE_MS = 60_000;

/** `id` distinguishes this write from another process's write of the same count. */
interface Count {
  count: number;
  id: string;
}

/** Allows every submission. */
export const unlimited: RateLimit = { consume: () => Promise.resolve({ allowed: true }) };

/** Counts in memory, in fixed windows of one minute. Exact if one process owns the store. */
export function createLocalRateLimit(perMinute: number, clock: Pick<Clock, "now">): RateLimit {
  let countedMinute = -1;
  const counts = new Map<string, number>();
  return {
    consume(tenantId, actorId) {
      const now = clock.now();
      const minute = Math.floor(now / MINUTE_MS);
      if (minute !== countedMinute) counts.clear();
      countedMinute = minute;
      const id = counterId(tenantId, actorId);
      const count = counts.get(id) ?? 0;
      if (count >= perMinute) return Promise.resolve(rejection(now));
      counts.set(id, count + 1);
      return Promise.resolve({ allowed: true });
    },
  };
}

/**
 * Counts in KV, in fixed windows of one minute. Exact across processes. Uses checked writes instead
 * of `sum`, which can neither enforce the limit nor return the total.
 */
export function createSharedRateLimit(
  kv: KvHandle,
  perMinute: number,
  clock: Pick<Clock, "now" | "elapsed">,
): RateLimit {
  const commits = new GroupCommit(kv, SERVER_COMMIT_LIMITS);
  const queues = new Map<string, PromiseWithResolvers<RateDecision>[]>();

  /** Counts up to `requested` submissions in this minute and returns how many are allowed. */
  async function grant(key: Deno.KvKey, requested: number): Promise<number> {
    const deadline = clock.elapsed() + CALL_TIMEOUT_MS;
    while (clock.elapsed() < deadline) {
      const { value, versionstamp } = await call(kv, (kv) => kv.get<Count>(key));
      const count = value?.count ?? 0;
      const granted = Math.min(requested, perMinute - count);
      if (granted <= 0) return 0;
      const next: Count = { count: count + granted, id: crypto.randomUUID() };
      const committed = await commits.commit({
        checks: [{ key, versionstamp }],
        sets: [{ key, value: next, options: { expireIn: 2 * MINUTE_MS } }],
      });
      if (committed.ok) return granted;
    }
    throw new StoreUnavailableError("KV contention: cannot count the submission");
  }

  /**
   * Counts all queued submissions of an actor with one write. With a write for each, a thousand
   * concurrent submissions would conflict with one another some thirty thousand times.
   */
  async function drain(
    tenantId: string,
    actorId: string,
    queue: PromiseWithResolvers<RateDecision>[],
  ): Promise<void> {
    while (queue.length > 0) {
      const batch = queue.splice(0);
      const now = clock.now();
      try {
        const key = rateKey(tenantId, actorId, Math.floor(now / MINUTE_MS));
        const granted = await grant(key, batch.length);
        batch.forEach(({ resolve }, i) =>
          resolve(i < granted ? { allowed: true } : rejection(now))
        );
      } catch (error) {
        // Those queued in the meantime fail, too: they would wait for another full timeout.
        [...batch, ...queue.splice(0)].forEach(({ reject }) => reject(error));
      }
    }
    // Synchronously after the loop: otherwise a call could join a queue that is no longer drained.
    queues.delete(counterId(tenantId, actorId));
  }

  return {
    consume(tenantId, actorId) {
      const decision = Promise.withResolvers<RateDecision>();
      const id = counterId(tenantId, actorId);
      const queue = queues.get(id);
      if (queue !== undefined) {
        queue.push(decision);
      } else {
        const started = [decision];
        queues.set(id, started);
        drain(tenantId, actorId, started);
      }
      return decision.promise;
    },
  };
}

/** Returns a string that identifies an actor in a tenant. A tenant ID has no slash. */
function counterId(tenantId: string, actorId: string): string {
  return `${tenantId}/${actorId}`;
}

function rejection(now: number): RateDecision {
  return { allowed: false, retryAfterSeconds: Math.ceil((MINUTE_MS - now % MINUTE_MS) / 1000) };
}
