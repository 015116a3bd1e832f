/** A source of time. Only `main.ts` reads the system clock. */
export interface Clock {
  /** Wall-clock time, in milliseconds since the epoch. It may jump. */
  now(): number;
  /** Monotonic time, in milliseconds since an arbitrary start. */
  elapsed(): number;
  wait(milliseconds: number): Promise<void>;
  /** Returns a signal that aborts after `milliseconds`, as `AbortSignal.timeout` does. */
  deadline(milliseconds: number): AbortSignal;
}
