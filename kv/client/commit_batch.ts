import { StoreUnavailableError } from "../../domain/ports/store.ts";
import { MAX_GET_MANY_KEYS } from "../keys.ts";
import { call, commit, type KvHandle } from "./call.ts";
import { findOwnVersionstamp } from "./change.ts";
import type { PendingChange } from "./pending_change.ts";

/** Maximum number of attempts for a change whose checks fail in the commit and hold when re-read. */
const MAX_ATTEMPTS = 10;

/**
 * Commits a batch, and returns a function that resolves or rejects the promises of its changes. If a
 * check fails, the changes that it belongs to are resolved as conflicts immediately, and the others are
 * committed again, together. If re-reading finds no failed check, because the conflicting record has
 * changed again, each change is committed alone. Changes that time out are not committed again. Never
 * rejects.
 */
export async function commitBatch(kv: KvHandle, batch: PendingChange[]): Promise<() => void> {
  try {
    let rest = batch;
    for (let attempt = 1; rest.length > 0; attempt++) {
      const committed = await writeAll(kv, rest);
      if (committed.ok) {
        return () => {
          for (const pending of rest) pending.resolve(committed);
        };
      }
      const remaining = await resolveConflicts(kv, rest);
      if (remaining.length === rest.length) {
        if (rest.length > 1) {
          await Promise.all(rest.map(async (pending) => (await commitBatch(kv, [pending]))()));
          return () => {};
        }
        if (attempt >= MAX_ATTEMPTS) {
          throw new StoreUnavailableError("KV contention: a check kept failing");
        }
      }
      rest = remaining.filter(({ hasTimedOut }) => !hasTimedOut);
    }
    return () => {};
  } catch (error) {
    // No effect on the changes that are settled already.
    return () => {
      for (const pending of batch) pending.reject(error);
    };
  }
}

function writeAll(
  kv: KvHandle,
  batch: PendingChange[],
): Promise<Deno.KvCommitResult | Deno.KvCommitError> {
  return commit(kv, (kv) => {
    const atomic = kv.atomic();
    for (const { change: { checks, sets }, hasTimedOut } of batch) {
      // Checked in each attempt, because a locked database is retried.
      if (hasTimedOut) continue;
      atomic.check(...checks);
      for (const { key, value, options } of sets) atomic.set(key, value, options);
    }
    return atomic.commit();
  });
}

/**
 * Resolves the changes whose own checks fail and returns the others. A failed commit does not say
 * which check failed, and reading all checked keys once is cheaper than committing each change alone.
 */
async function resolveConflicts(kv: KvHandle, batch: PendingChange[]): Promise<PendingChange[]> {
  const keys = batch.flatMap(({ change }) => change.checks.map(({ key }) => key));
  const reads = [];
  for (let i = 0; i < keys.length; i += MAX_GET_MANY_KEYS) {
    const some = keys.slice(i, i + MAX_GET_MANY_KEYS);
    reads.push(call(kv, (kv) => kv.getMany<unknown[]>(some)));
  }
  const entries = (await Promise.all(reads)).flat();
  return batch.filter((pending) => {
    const { checks } = pending.change;
    const found = entries.splice(0, checks.length);
    const failed = checks.filter(({ versionstamp }, i) => found[i]!.versionstamp !== versionstamp);
    if (failed.length === 0) return true;
    const versionstamp = findOwnVersionstamp(pending.change, found);
    pending.resolve(versionstamp === null ? { ok: false, failed } : { ok: true, versionstamp });
    return false;
  });
}
