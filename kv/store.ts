import type { Clock } from "../domain/ports/clock.ts";
import type { Store } from "../domain/ports/store.ts";
import { createAuditEvents } from "./audit_events.ts";
import type { KvHandle } from "./client/call.ts";
import { createIdempotencyKeys } from "./idempotency_keys.ts";
import { FILE_COMMIT_LIMITS, GroupCommit, SERVER_COMMIT_LIMITS } from "./client/group_commit.ts";
import { createLeases } from "./leases.ts";
import { Requests } from "./requests.ts";
import { Retention } from "./retention.ts";

export interface StoreOptions {
  clock: Pick<Clock, "now">;
  /** Days after which requests and audit events expire; null disables expiry. */
  retentionDays: number | null;
  /** Whether this process is the store's only writer. */
  isExclusive: boolean;
  /** A second handle to the same store, used only for reads. Defaults to `kv`. */
  reader?: KvHandle;
}

/**
 * Creates the store on Deno KV. Calls wait for a handle that is still being opened, within their
 * usual timeout.
 */
export function createStore(kv: KvHandle, options: StoreOptions): Store {
  const { clock, isExclusive, reader = kv } = options;
  const retention = new Retention(options.retentionDays);
  const commits = new GroupCommit(kv, isExclusive ? FILE_COMMIT_LIMITS : SERVER_COMMIT_LIMITS);
  const requests = new Requests(reader, { clock, retention, isExclusive, commits });
  return {
    append: (request, key) => requests.append(request, key),
    latest: (context) => requests.latest(context),
    reload: (stored) => requests.reload(stored),
    finalize: (stored, handoff, actor) => requests.finalize(stored, handoff, actor),
    recordSuperseded: (stored, handoff, actor) => requests.recordSuperseded(stored, handoff, actor),
    ...createIdempotencyKeys(reader, clock),
    ...createLeases(kv, clock, commits),
    ...createAuditEvents(reader, clock, retention),
  };
}
