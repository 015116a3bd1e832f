/** Time, which nothing below `main.ts` reads on its own. */
export interface Clock {
  /** Milliseconds since the epoch; may jump. */
  now(): number;
  /** Milliseconds since some start; never jumps. */
  elapsed(): number;
  wait(milliseconds: number): Promise<void>;
  /** `AbortSignal.timeout`. */
  deadline(milliseconds: number): AbortSignal;
}
