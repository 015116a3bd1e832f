/** A source of time. The system's is in `config/clock.ts`. */
export interface Clock {
  /** Wall-clock time, in milliseconds since the epoch. It may jump. */
  now(): number;
  /** Monotonic time, in milliseconds since an arbitrary start. */
  elapsed(): number;
  wait(milliseconds: number): Promise<void>;
  /**
   * Returns a signal that aborts after `milliseconds`, as that of `AbortSignal.timeout` does, unless
   * it is disposed before: declare it with `using`, so that no timer outlives the work.
   */
  deadline(milliseconds: number): Deadline;
}

/** A signal that aborts when its time is up. Disposing it clears its timer. */
export type Deadline = AbortSignal & Disposable;
