import type { Reference } from "./model/reference.ts";

/**
 * Tracks the work in flight in this process. Shutdown waits for it, because a server does not wait
 * for work whose client has disconnected. And a support request in flight here is never treated as
 * interrupted, even if the clock jumps.
 */
export class InFlightTracker {
  /** When each support request started, by `clock.elapsed`, in the order of their start. */
  #starts = new Map<Reference, number>();
  #httpRequests = 0;
  #waiters: (() => void)[] = [];

  /** Counts an HTTP request as in flight until {@linkcode requestFinished} is called. */
  requestStarted(): void {
    this.#httpRequests++;
  }

  requestFinished(): void {
    this.#httpRequests--;
    this.#resolveIfIdle();
  }

  /**
   * Runs `work`, which covers one support request from before it is stored until its handoff is
   * final, or one resume. `startedAt` is the time by `clock.elapsed`. Rejects as `work` does.
   */
  async run<T>(reference: Reference, startedAt: number, work: () => Promise<T>): Promise<T> {
    this.#starts.set(reference, startedAt);
    try {
      return await work();
    } finally {
      this.#starts.delete(reference);
      this.#resolveIfIdle();
    }
  }

  #resolveIfIdle(): void {
    if (this.isIdle()) this.#waiters.splice(0).forEach((resolve) => resolve());
  }

  isIdle(): boolean {
    return this.#httpRequests === 0 && this.#starts.size === 0;
  }

  has(reference: Reference): boolean {
    return this.#starts.has(reference);
  }

  /**
   * Returns when the work for the request started, by `clock.elapsed`, or null if there is none.
   */
  startedAt(reference: Reference): number | null {
    return this.#starts.get(reference) ?? null;
  }

  /** Returns when the oldest support request in flight started, or null if there is none. */
  oldestStart(): number | null {
    return this.#starts.values().next().value ?? null;
  }

  /**
   * Measures the support requests in flight at `now`, by `clock.elapsed`. Without any, both are 0.
   */
  measure(now: number): { count: number; oldestAgeMs: number } {
    return { count: this.#starts.size, oldestAgeMs: now - (this.oldestStart() ?? now) };
  }

  /** Resolves once nothing is in flight. Never rejects. */
  async drained(): Promise<void> {
    while (!this.isIdle()) {
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }
}
