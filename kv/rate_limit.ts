import type { Clock } from "../domain/ports/clock.ts";
import type { RateDecision, RateLimit } from "../domain/ports/rate_limit.ts";
import { StoreUnavailableError } from "../domain/ports/store.ts";
import { call, CALL_TIMEOUT_MS, type KvHandle } from "./client/call.ts";
import { GroupCommit, SERVER_COMMIT_LIMITS } from "./client/group_commit.ts";
import { startTimeout } from "./client/responsive_time.ts";
import { rateKey } from "./keys.ts";

const MINUTE_MS = 60_000;

/** Allows every submission. */
export const unlimited: RateLimit = { consume: () => Promise.resolve({ allowed: true }) };

/** Counts in memory, in fixed windows of one minute. Exact if one process owns the store. */
export class LocalRateLimit implements RateLimit {
  #perMinute: number;
  #clock: Pick<Clock, "now">;
  #minute = -1;
  /** By actor, for {@linkcode LocalRateLimit.#minute}. */
  #counts = new Map<string, number>();

  constructor(perMinute: number, clock: Pick<Clock, "now">) {
    this.#perMinute = perMinute;
    this.#clock = clock;
  }

  consume(tenantId: string, actorId: string): Promise<RateDecision> {
    const now = this.#clock.now();
    const minute = Math.floor(now / MINUTE_MS);
    if (minute !== this.#minute) this.#counts.clear();
    this.#minute = minute;
    const id = counterId(tenantId, actorId);
    const count = this.#counts.get(id) ?? 0;
    if (count >= this.#perMinute) return Promise.resolve(rejection(now));
    this.#counts.set(id, count + 1);
    return Promise.resolve({ allowed: true });
  }
}

/** `id` distinguishes this write from another process's write of the same count. */
interface Counter {
  count: number;
  id: string;
}

/**
 * Counts in KV, in fixed windows of one minute. Exact across processes. Uses checked writes instead
 * of `sum`, which can neither enforce the limit nor return the total.
 *
 * The submissions of one actor that arrive while their counter is being written are queued and counted
 * with the next write. If each had its own write, a thousand concurrent submissions would cause some
 * thirty thousand conflicts.
 */
export class SharedRateLimit implements RateLimit {
  #kv: KvHandle;
  #perMinute: number;
  #clock: Pick<Clock, "now">;
  #commits: GroupCommit;
  #queues = new Map<string, PromiseWithResolvers<RateDecision>[]>();

  constructor(kv: KvHandle, perMinute: number, clock: Pick<Clock, "now">) {
    this.#kv = kv;
    this.#perMinute = perMinute;
    this.#clock = clock;
    this.#commits = new GroupCommit(kv, SERVER_COMMIT_LIMITS);
  }

  /** @throws {StoreUnavailableError} */
  consume(tenantId: string, actorId: string): Promise<RateDecision> {
    const decision = Promise.withResolvers<RateDecision>();
    const id = counterId(tenantId, actorId);
    const queue = this.#queues.get(id);
    if (queue !== undefined) {
      queue.push(decision);
    } else {
      const started = [decision];
      this.#queues.set(id, started);
      this.#drain(tenantId, actorId, started);
    }
    return decision.promise;
  }

  /** Decides on the submissions of an actor until none is queued. Never rejects. */
  async #drain(
    tenantId: string,
    actorId: string,
    queue: PromiseWithResolvers<RateDecision>[],
  ): Promise<void> {
    while (queue.length > 0) {
      const batch = queue.splice(0);
      const now = this.#clock.now();
      try {
        const key = rateKey(tenantId, actorId, Math.floor(now / MINUTE_MS));
        const allowed = await this.#count(key, batch.length);
        batch.forEach(({ resolve }, i) =>
          resolve(i < allowed ? { allowed: true } : rejection(now))
        );
      } catch (error) {
        // Those queued in the meantime fail, too: they would wait for another full timeout.
        [...batch, ...queue.splice(0)].forEach(({ reject }) => reject(error));
      }
    }
    // Synchronously after the loop: otherwise a call could join a queue that is no longer drained.
    this.#queues.delete(counterId(tenantId, actorId));
  }

  /**
   * Counts up to `requested` submissions and returns how many are allowed. Retries conflicts for two
   * seconds of responsive time, as a KV call does.
   */
  async #count(key: Deno.KvKey, requested: number): Promise<number> {
    let hasTimedOut = false;
    const stopTimeout = startTimeout(CALL_TIMEOUT_MS, () => hasTimedOut = true);
    try {
      while (!hasTimedOut) {
        const allowed = await this.#tryCount(key, requested);
        if (allowed !== null) return allowed;
      }
    } finally {
      stopTimeout();
    }
    throw new StoreUnavailableError("KV contention: cannot count the submission");
  }

  /** Returns null if another process has counted in the meantime. */
  async #tryCount(key: Deno.KvKey, requested: number): Promise<number | null> {
    const { value, versionstamp } = await call(this.#kv, (kv) => kv.get<Counter>(key));
    const count = value?.count ?? 0;
    const allowed = Math.min(requested, this.#perMinute - count);
    if (allowed <= 0) return 0;
    const next: Counter = { count: count + allowed, id: crypto.randomUUID() };
    const { ok } = await this.#commits.commit({
      checks: [{ key, versionstamp }],
      sets: [{ key, value: next, options: { expireIn: 2 * MINUTE_MS } }],
    });
    return ok ? allowed : null;
  }
}

/** Returns a string that identifies an actor in a tenant. A tenant ID has no slash. */
function counterId(tenantId: string, actorId: string): string {
  return `${tenantId}/${actorId}`;
}

function rejection(now: number): RateDecision {
  return { allowed: false, retryAfterSeconds: Math.ceil((MINUTE_MS - now % MINUTE_MS) / 1000) };
}
