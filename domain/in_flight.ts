import type { Reference } from "./model/reference.ts";

/**
 * What this process is doing. Whoever shuts down waits here, for a server need not wait for work
 * whose client hung up; and a request that is under way here is not interrupted, whatever a clock
 * that jumped says.
 */
export class InFlightTracker {
  /** When each began, by `clock.elapsed`. */
  #began = new Map<Reference, number>();
  #calls = 0;
  #waiting: (() => void)[] = [];

  /** A call has come in, which is under way until it was {@linkcode requestFinished}. */
  requestStarted(): void {
    this.#calls++;
  }

  requestFinished(): void {
    this.#calls--;
    this.#tell();
  }

  /**
   * Runs all that is done for one request, from before it is stored until its handoff is settled.
   * `began` is the time by `clock.elapsed`.
   */
  async run<T>(reference: Reference, began: number, work: () => Promise<T>): Promise<T> {
    this.#began.set(reference, began);
    try {
      return await work();
    } finally {
      this.#began.delete(reference);
      this.#tell();
    }
  }

  #tell(): void {
    if (this.isIdle()) this.#waiting.splice(0).forEach((resolve) => resolve());
  }

  isIdle(): boolean {
    return this.#calls === 0 && this.#began.size === 0;
  }

  has(reference: Reference): boolean {
    return this.#began.has(reference);
  }

  /** When the work for the request began, by `clock.elapsed`, or null if there is none here. */
  startedAt(reference: Reference): number | null {
    return this.#began.get(reference) ?? null;
  }

  /** When the oldest request that is under way began, or null: they are in the order of time. */
  oldestStart(): number | null {
    return this.#began.values().next().value ?? null;
  }

  /** Returns the age of the oldest request in flight at `now`, or 0 if there is none. */
  oldestAge(now: number): number {
    return now - (this.oldestStart() ?? now);
  }

  /** Resolves when nothing is under way; never rejects. */
  async drained(): Promise<void> {
    while (!this.isIdle()) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}
