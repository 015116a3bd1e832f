import { CALL_TIMEOUT_MS, timeoutError } from "./call.ts";
import { type Change, type CommitSize, estimateSize, fits } from "./change.ts";
import { hashKey } from "./key_hash.ts";
import { startTimeout } from "./responsive_time.ts";

export type CommitResult =
  | { ok: true; versionstamp: string }
  /** Nothing was written because these checks failed. */
  | { ok: false; failed: Deno.AtomicCheck[] };

/** A change that has not been committed yet, and the promise that its caller waits for. */
export class PendingChange {
  readonly change: Change;
  readonly #result = Promise.withResolvers<CommitResult>();
  #stopTimeout = () => {};
  #hasTimedOut = false;

  constructor(change: Change) {
    this.change = change;
  }

  /** Starts the two seconds of responsive time after which the promise is rejected. */
  startTimeout(): void {
    this.#stopTimeout = startTimeout(CALL_TIMEOUT_MS, () => {
      this.#hasTimedOut = true;
      this.#result.reject(timeoutError());
    });
  }

  /** Resolves with the result, or rejects with the error of the commit or a timeout. */
  get result(): Promise<CommitResult> {
    return this.#result.promise;
  }

  /** Whether the promise has been rejected with a timeout. */
  get hasTimedOut(): boolean {
    return this.#hasTimedOut;
  }

  /** Has no effect after a timeout. */
  resolve(result: CommitResult): void {
    this.#stopTimeout();
    this.#result.resolve(result);
  }

  /** Has no effect after a timeout. */
  reject(error: unknown): void {
    this.#stopTimeout();
    this.#result.reject(error);
  }
}

/**
 * Takes the changes that fit into one commit from the queue, at most `maxChanges`, in order, and returns
 * them and the new queue. Changes that write the same key go into different commits, because KV would
 * store the last one only; so do those whose keys merely have the same hash. Changes that have timed out
 * are dropped.
 */
export function takeBatch(
  queue: PendingChange[],
  limits: CommitSize,
  maxChanges: number,
): { batch: PendingChange[]; rest: PendingChange[] } {
  // Nothing to compare: the usual case of a service that is not busy.
  if (queue.length === 1) {
    return { batch: queue.filter(({ hasTimedOut }) => !hasTimedOut), rest: [] };
  }
  const batch: PendingChange[] = [];
  const postponed: PendingChange[] = [];
  const written = new Set<number>();
  const left = { ...limits };
  let next = 0;
  for (; next < queue.length; next++) {
    const pending = queue[next]!;
    const { change, hasTimedOut } = pending;
    if (hasTimedOut) continue;
    const size = estimateSize(change);
    const keyHashes = change.sets.map(({ key }) => hashKey(key));
    // KV rejects a whole commit because of one oversized change, so that one is committed alone.
    const hasRoom = batch.length < maxChanges && size.isWithinLimits && fits(size, left);
    if (batch.length > 0 && !hasRoom) break;
    if (keyHashes.some((hash) => written.has(hash))) {
      postponed.push(pending);
      continue;
    }
    batch.push(pending);
    for (const hash of keyHashes) written.add(hash);
    left.checks -= size.isWithinLimits ? size.checks : Infinity;
    left.mutations -= size.mutations;
    left.bytes -= size.bytes;
    left.keyBytes -= size.keyBytes;
  }
  return { batch, rest: postponed.concat(queue.slice(next)) };
}
