import type { Clock } from "../../domain/ports/clock.ts";
import { StoreUnavailableError } from "../../domain/ports/store.ts";
import { call, type KvHandle } from "../client/call.ts";
import { keySize } from "../client/change.ts";
import type { Retention } from "../retention.ts";
import { ErasureRecord } from "./erasure_record.ts";
import { add, newTally, type Tally } from "./tally.ts";
import { type ErasureScope, type Target, Targets } from "./targets.ts";

export interface EraserOptions {
  clock: Pick<Clock, "now" | "wait">;
  retention: Retention;
  /** Whether this process is the store's only writer. */
  isExclusive: boolean;
  /** Maximum number of mutations per commit, below KV's limit of 1,000. */
  maxMutations?: number;
}

const MAX_MUTATIONS = 100;
/** Maximum size of the keys of a commit, below KV's limit of 81,920. */
const MAX_KEY_BYTES = 60_000;
/** Delay before another pass. A write that was in flight during a pass has been applied by then. */
const PASS_DELAY_MS = 5_000;
const MAX_PASSES = 10;

/** Deletes the records of a tenant, of one actor in it, or those whose retention period is over. */
export class Eraser {
  #kv: KvHandle;
  #targets: Targets;
  #options: EraserOptions;

  constructor(kv: KvHandle, options: EraserOptions) {
    this.#kv = kv;
    this.#options = options;
    this.#targets = new Targets(kv, options);
  }

  /**
   * Counts the records that {@linkcode erase} would delete now.
   *
   * @throws {StoreUnavailableError}
   */
  async find(scope: ErasureScope): Promise<Tally> {
    const tally = newTally();
    for await (const target of this.#targets.find(scope, tally, new Set())) add(tally, target);
    return tally;
  }

  /**
   * Deletes all records of a scope, in passes until one finds nothing. Each commit also adds what it
   * deletes to one `erasure` record, so that the record is correct even if the erasure is
   * interrupted. Another call deletes the remaining records.
   *
   * @throws {StoreUnavailableError} also if every pass finds new records
   */
  async erase(scope: ErasureScope): Promise<Tally> {
    const { clock, isExclusive } = this.#options;
    const tally = newTally();
    const record = new ErasureRecord(scope, clock.now());
    // Of all passes: the last audit event of a request may be written after the request was deleted.
    const references = new Set<string>();
    for (let pass = 0; pass < MAX_PASSES; pass++) {
      if (pass > 0 && !isExclusive) await clock.wait(PASS_DELAY_MS);
      tally.unreadable = 0;
      if (await this.#pass(scope, tally, references, record) === 0) return tally;
    }
    throw new StoreUnavailableError(
      "Records are still being written: revoke the tokens, then erase again",
    );
  }

  /** Returns the number of records that it has deleted or replaced. */
  async #pass(
    scope: ErasureScope,
    tally: Tally,
    references: Set<string>,
    record: ErasureRecord,
  ): Promise<number> {
    const { maxMutations = MAX_MUTATIONS } = this.#options;
    let count = 0;
    let batch: Target[] = [];
    let keyBytes = 0;
    const commit = async () => {
      for (const target of batch) add(tally, target);
      await this.#commit(batch, tally, record);
      count += batch.length;
      batch = [];
      keyBytes = 0;
    };
    for await (const target of this.#targets.find(scope, tally, references)) {
      const size = keySize(target.key);
      if (batch.length === maxMutations || keyBytes + size > MAX_KEY_BYTES) await commit();
      batch.push(target);
      keyBytes += size;
    }
    if (batch.length > 0) await commit();
    return count;
  }

  /** Idempotent: Deno's KV Connect client sends a commit again if the response is lost. */
  async #commit(batch: Target[], tally: Tally, record: ErasureRecord): Promise<void> {
    await call(this.#kv, (kv) => {
      const atomic = kv.atomic();
      for (const target of batch) {
        if (target.kind !== "anonymized") atomic.delete(target.key);
        else atomic.set(target.key, target.value, target.options);
      }
      record.write(atomic, tally);
      return atomic.commit();
    });
  }
}
