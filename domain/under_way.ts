import type { Reference } from "./reference.ts";

/**
 * What this process is doing. Whoever shuts down waits here, for a server need not wait for work
 * whose client hung up; and a request that is under way here is not interrupted, whatever a clock
 * that jumped says.
 */
export class UnderWay {
  #handoffs = new Set<Reference>();
  #waiting: (() => void)[] = [];

  /**
   * Runs all that is done for one request, from before it is stored until its handoff is settled;
   * {@linkcode isHandingOff} is true meanwhile.
   */
  async handOff<T>(reference: Reference, run: () => Promise<T>): Promise<T> {
    this.#handoffs.add(reference);
    try {
      return await run();
    } finally {
      this.#handoffs.delete(reference);
      if (this.#handoffs.size === 0) this.#waiting.splice(0).forEach((resolve) => resolve());
    }
  }

  isHandingOff(reference: Reference): boolean {
    return this.#handoffs.has(reference);
  }

  /** The requests that are being handed off. */
  handingOff(): Reference[] {
    return [...this.#handoffs];
  }

  /** Resolves when nothing is under way; never rejects. */
  async idle(): Promise<void> {
    while (this.#handoffs.size > 0) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}
