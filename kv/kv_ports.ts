import type { Clock } from "../domain/ports/clock.ts";
import type { Log } from "../domain/ports/log.ts";
import type { RateLimit } from "../domain/ports/rate_limit.ts";
import type { Store } from "../domain/ports/store.ts";
import type { KvHandle } from "./client/call.ts";
import { KvConnection } from "./client/connection.ts";
import { LocalRateLimit, SharedRateLimit, unlimited } from "./rate_limit.ts";
import { Readiness } from "./readiness.ts";
import { createStore } from "./store.ts";

export interface KvPortsOptions {
  clock: Pick<Clock, "now" | "elapsed" | "wait">;
  log: Log;
  /** A second handle of the same store, for reads only. Defaults to the first. */
  reader?: KvHandle;
  /** Days after which requests and audit events expire; null disables expiry. */
  retentionDays: number | null;
  /** Per actor and tenant; 0 disables the limit. */
  rateLimitPerMinute: number;
  /** Whether no other process writes to this store. */
  isExclusive: boolean;
}

/** What Deno KV provides to the other layers. */
export interface KvPorts {
  store: Store;
  rateLimit: RateLimit;
  isReady(): Promise<boolean>;
}

/** Creates everything that works on the store. All parts share one record of its health. */
export function createKvPorts(handle: KvHandle, options: KvPortsOptions): KvPorts {
  const { clock, log } = options;
  const kv = handle instanceof KvConnection ? handle : new KvConnection(handle, { clock, log });
  const readiness = new Readiness(kv, { clock, log });
  return {
    store: createStore(kv, options),
    rateLimit: createRateLimit(kv, options),
    isReady: () => readiness.isReady(),
  };
}

function createRateLimit(
  kv: KvHandle,
  { clock, rateLimitPerMinute, isExclusive }: KvPortsOptions,
): RateLimit {
  if (rateLimitPerMinute === 0) return unlimited;
  return isExclusive
    ? new LocalRateLimit(rateLimitPerMinute, clock)
    : new SharedRateLimit(kv, rateLimitPerMinute, clock);
}
