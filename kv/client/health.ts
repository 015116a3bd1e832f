import type { Clock } from "../../domain/ports/clock.ts";

/** How long a successful commit proves that the store accepts writes, in milliseconds. */
const PROOF_LIFETIME_MS = 30_000;

/**
 * Records what KV calls show about the store. Calls are numbered in the order of their starts: a
 * successful commit overrides the failure of an earlier call, however late that call times out.
 */
export class StoreHealth {
  #clock: Pick<Clock, "elapsed">;
  #started = 0;
  #lastSuccess = 0;
  #lastFailure = 0;
  #succeededAt = -Infinity;

  constructor(clock: Pick<Clock, "elapsed">) {
    this.#clock = clock;
  }

  /** Returns the number of a call that starts now. */
  start(): number {
    return ++this.#started;
  }

  /** Records a commit that was written. */
  succeeded(call: number): void {
    this.#lastSuccess = Math.max(this.#lastSuccess, call);
    this.#succeededAt = this.#clock.elapsed();
  }

  /** Records a commit that failed, or a call that timed out. A failed check is neither. */
  failed(call: number): void {
    this.#lastFailure = Math.max(this.#lastFailure, call);
  }

  /**
   * Discards the failures of a connection that has been replaced or that responds again, including
   * those of its calls that have not failed yet.
   */
  discardFailures(): void {
    this.#lastSuccess = this.#started;
  }

  /** Whether the most recently started call with a known result has failed. */
  get isFailing(): boolean {
    return this.#lastFailure > this.#lastSuccess;
  }

  /** Whether a commit succeeded in the last 30 seconds and no later call has failed. */
  get isProven(): boolean {
    return !this.isFailing && this.#clock.elapsed() - this.#succeededAt < PROOF_LIFETIME_MS;
  }
}
