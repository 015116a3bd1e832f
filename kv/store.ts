import type { Clock } from "../domain/ports/clock.ts";
import type { Store } from "../domain/ports/store.ts";
import { createAuditEvents } from "./audit_events.ts";
import type { KvHandle } from "./client/call.ts";
import { createIdempotencyKeys } from "./idempotency_keys.ts";
import { FILE_COMMIT_LIMITS, GroupCommit, SERVER_COMMIT_LIMITS } from "./client/group_commit.ts";
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

/** The store on Deno KV. For a handle that is still being opened calls wait as for any answer. */
export function createStore(kv: KvHandle, options: StoreOptions): Store {
  const { clock, isExclusive, reader = kv } = options;
  const retention = new Retention(options.retentionDays);
  const commits = new GroupCommit(kv, {
    clock,
    ...isExclusive ? FILE_COMMIT_LIMITS : SERVER_COMMIT_LIMITS,
  });
  return {
    ...createRequests(reader, { clock, retention, isExclusive, commits }),
    ...createIdempotencyKeys(reader, clock),
    ...createLeases(kv, clock, commits),
    ...createAuditEvents(reader, clock, retention),
  };
}
