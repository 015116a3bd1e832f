import type { Clock, Store } from "../domain/ports.ts";
import { createAuditEvents } from "./audit_events.ts";
import type { KvHandle } from "./call.ts";
import { createIdempotencyKeys } from "./idempotency_keys.ts";
import { createLeases } from "./leases.ts";
import { createRequests } from "./requests.ts";
import { Retention } from "./retention.ts";

export interface StoreOptions {
  clock: Pick<Clock, "now">;
  /** Days after which requests and audit events expire; null keeps them. */
  retentionDays: number | null;
  /** Whether no other process writes to this store. */
  isExclusive: boolean;
}

/** The store on Deno KV. The handle may still be opening; calls fail until it is there. */
export function createStore(kv: KvHandle, options: StoreOptions): Store {
  const { clock, isExclusive } = options;
  const retention = new Retention(options.retentionDays);
  return {
    ...createRequests(kv, { clock, retention, isExclusive }),
    ...createIdempotencyKeys(kv, clock),
    ...createLeases(kv, clock),
    ...createAuditEvents(kv, clock, retention),
  };
}
