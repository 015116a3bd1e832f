import type { SupportContext } from "../domain/model/context.ts";
import { contextId } from "./keys.ts";

/** Contexts whose last sort key is kept in memory. */
const MAX_CONTEXTS = 10_000;

/** What is known of one context. */
interface ContextState {
  /** The last sort key that was given out. */
  ts: number;
  /** The last one that is stored for certain, or 0. */
  stored: number;
  /** Writes that failed, and may have been stored. */
  uncertainWrites: number;
  /** Writes and reads under way: what they took must not be forgotten, for no read would find it. */
  pins: number;
}

/**
 * Gives out sort keys: the clock in microseconds, or one more than the context's last where that
 * is greater, so that a request sorts after every one acknowledged before it even when a clock
 * jumps back.
 */
export class SortKeyAllocator {
  #contexts = new Map<string, ContextState>();
  #readLast: (context: SupportContext) => Promise<number>;
  #isExclusive: boolean;

  /**
   * @param readLast The sort key of the context's latest stored request, or 0.
   * @param isExclusive Whether no other process writes, so that what is in memory is the truth.
   */
  constructor(readLast: (context: SupportContext) => Promise<number>, isExclusive: boolean) {
    this.#readLast = readLast;
    this.#isExclusive = isExclusive;
  }

  /**
   * Runs a write with the next sort key; `next` gives a later one after a collision, and `stored`
   * is to be told the one that was stored.
   */
  async write<T>(
    context: SupportContext,
    nowMs: number,
    run: (ts: number, next: () => Promise<number>, stored: (ts: number) => void) => Promise<T>,
  ): Promise<T> {
    const last = this.#take(context);
    const after = (stored: number) => last.ts = Math.max(nowMs * 1000, last.ts + 1, stored + 1);
    const next = async () => after(await this.#readLast(context));
    try {
      const ts = last.ts === 0 || !this.#isExclusive ? await next() : after(0);
      return await run(ts, next, (ts) => void (last.stored = Math.max(last.stored, ts)));
    } catch (error) {
      last.uncertainWrites++;
      last.stored = 0;
      throw error;
    } finally {
      this.#release(last);
    }
  }

  /**
   * The sort key of the context's latest acknowledged request, or null where that is not known.
   * Only where no other process writes.
   */
  latest(context: SupportContext): number | null {
    return this.#contexts.get(contextId(context))?.stored || null;
  }

  /**
   * Runs a read that finds the context's latest sort key, or 0, and keeps it. A write that failed
   * meanwhile may have been stored after it: then nothing is kept.
   */
  async loadLatest(context: SupportContext, read: () => Promise<number>): Promise<void> {
    const last = this.#take(context);
    try {
      const { uncertainWrites } = last;
      const ts = await read();
      if (last.uncertainWrites === uncertainWrites) last.stored = Math.max(last.stored, ts);
    } finally {
      this.#release(last);
    }
  }

  /** What is known of a context, which is not forgotten until it is released. */
  #take(context: SupportContext): ContextState {
    const name = contextId(context);
    const last = this.#contexts.get(name) ?? { ts: 0, stored: 0, uncertainWrites: 0, pins: 0 };
    // Moved to the end: the first is the one least recently used.
    this.#contexts.delete(name);
    this.#contexts.set(name, last);
    last.pins++;
    return last;
  }

  #release(last: ContextState): void {
    last.pins--;
    this.#forget();
  }

  #forget(): void {
    if (this.#contexts.size <= MAX_CONTEXTS) return;
    for (const [name, { pins }] of this.#contexts) {
      if (pins > 0) continue;
      this.#contexts.delete(name);
      if (this.#contexts.size <= MAX_CONTEXTS) return;
    }
  }
}
