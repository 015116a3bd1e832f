import type { Context } from "../domain/context.ts";
import { contextPrefix } from "./keys.ts";

/** Contexts whose last sort key is kept in memory. */
const MAX_CONTEXTS = 10_000;

interface Last {
  ts: number;
  /** Writes under way: what they took must not be forgotten, for no read would find it. */
  writes: number;
}

/**
 * Gives out sort keys: the clock in microseconds, or one more than the context's last where that
 * is greater, so that a request sorts after every one acknowledged before it even when a clock
 * jumps back.
 */
export class Sequence {
  #contexts = new Map<string, Last>();
  #readLast: (context: Context) => Promise<number>;
  #isExclusive: boolean;

  /**
   * @param readLast The sort key of the context's latest stored request, or 0.
   * @param isExclusive Whether no other process writes, so that what is in memory is the truth.
   */
  constructor(readLast: (context: Context) => Promise<number>, isExclusive: boolean) {
    this.#readLast = readLast;
    this.#isExclusive = isExclusive;
  }

  /** Runs a write with the next sort key; `next` gives a later one after a collision. */
  async write<T>(
    context: Context,
    nowMs: number,
    run: (ts: number, next: () => Promise<number>) => Promise<T>,
  ): Promise<T> {
    const name = contextPrefix(context).join("/");
    const known = this.#contexts.get(name);
    const last = known ?? { ts: 0, writes: 0 };
    // Moved to the end: the first is the one least recently used.
    this.#contexts.delete(name);
    this.#contexts.set(name, last);
    last.writes++;
    const next = async (mustRead: boolean) => {
      const stored = mustRead ? await this.#readLast(context) : 0;
      last.ts = Math.max(nowMs * 1000, last.ts + 1, stored + 1);
      return last.ts;
    };
    try {
      const ts = await next(known === undefined || last.ts === 0 || !this.#isExclusive);
      return await run(ts, () => next(true));
    } finally {
      last.writes--;
      this.#forget();
    }
  }

  #forget(): void {
    if (this.#contexts.size <= MAX_CONTEXTS) return;
    for (const [name, { writes }] of this.#contexts) {
      if (writes > 0) continue;
      this.#contexts.delete(name);
      if (this.#contexts.size <= MAX_CONTEXTS) return;
    }
  }
}
