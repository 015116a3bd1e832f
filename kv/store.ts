import type { Clock, Store } from "../domain/ports.ts";
import { createAuditEvents } from "./audit_events.ts";
import type { KvHandle } from "./call.ts";
import { createIdempotencyKeys } from "./idempotency_keys.ts";
import { GroupCommit } from "./group_commit.ts";
import { createLeases } from "./leases.ts";
import { createRequests } from "./requests.ts";
import { Retention } from "./retention.ts";

export interface StoreOptions {
  clock: Pick<Clock, "now" | "elapsed">;
  /** Days after which requests and audit events expire; null keeps them. */
  retentionDays: number | null;
  /** Whether no other process writes to this store. */
  isExclusive: boolean;
  /** A handle of the same store for what is only read; by default the one that writes. */
  reader?: KvHandle;
}

/** Two commits of a local file at once would wait for each other. */
const LOCAL = { maxChecks: 100, maxUnderWay: 1 };
/**
 * A self-hosted KV Connect server (`denokv`) refuses more than ten checks. Its answer takes a round
 * trip, so that a commit does not wait for the one before it.
 */
const SHARED = { maxChecks: 10, maxUnderWay: 16 };

/** The store on Deno KV. The handle may still be opening; calls fail until it is there. */
export function createStore(kv: KvHandle, options: StoreOptions): Store {
  const { clock, isExclusive, reader = kv } = options;
  const retention = new Retention(options.retentionDays);
  const commits = new GroupCommit(kv, { clock, ...isExclusive ? LOCAL : SHARED });
  return {
    ...createRequests(reader, { clock, retention, isExclusive, commits }),
    ...createIdempotencyKeys(reader, clock),
    ...createLeases(kv, clock),
    ...createAuditEvents(reader, clock, retention),
  };
}
