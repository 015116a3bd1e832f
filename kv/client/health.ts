import type { Clock } from "../../domain/ports/clock.ts";

/** How long a commit that succeeded shows that the store takes writes, in milliseconds. */
export const PROOF_LIFETIME_MS = 30_000;

/**
 * Records what calls show of the store. Calls are numbered by the order of their starts: a commit
 * that succeeds disproves the failure of an earlier call, however late that call times out.
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

  /** Records a commit that the store failed, or a call without a response. A failed check is none. */
  failed(call: number): void {
    this.#lastFailure = Math.max(this.#lastFailure, call);
  }

  /**
   * Discards the failures of a connection that has been replaced, or responds again: also those of
   * its calls that have not failed yet.
   */
  discardFailures(): void {
    this.#lastSuccess = this.#started;
  }

  /** Whether the latest evidence is a failure. */
  get isFailing(): boolean {
    return this.#lastFailure > this.#lastSuccess;
  }

  /** Whether a commit of the last 30 seconds succeeded, and nothing has failed since. */
  get isProven(): boolean {
    return !this.isFailing && this.#clock.elapsed() - this.#succeededAt < PROOF_LIFETIME_MS;
  }
}
