import type { Reference } from "./reference.ts";

/**
 * What this process is doing. A request whose client hung up is no longer a response that the
 * server waits for, so whoever shuts down must wait here; and a handoff that is under way here is
 * not interrupted, whatever a clock that jumped says.
 */
export class UnderWay {
  #work = new Set<Promise<unknown>>();
  #handoffs = new Set<Reference>();

  track<T>(work: Promise<T>): Promise<T> {
    this.#work.add(work);
    const forget = () => this.#work.delete(work);
    work.then(forget, forget);
    return work;
  }

  /** Runs the handoff of one request; {@linkcode isHandingOff} is true until it ends. */
  async handOff<T>(reference: Reference, run: () => Promise<T>): Promise<T> {
    this.#handoffs.add(reference);
    try {
      return await run();
    } finally {
      this.#handoffs.delete(reference);
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
    while (this.#work.size > 0) await Promise.allSettled(this.#work);
  }
}
