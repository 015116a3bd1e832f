import { contextId, type SupportContext } from "../domain/model/context.ts";

/** Maximum number of contexts in memory. */
const MAX_CONTEXTS = 10_000;

/** What is known about one context. */
interface ContextState {
  /** The last sort key that was allocated, or 0. */
  allocated: number;
  /** The last sort key that is known to be stored, or 0. */
  stored: number;
  /** Number of writes whose outcome is unknown. */
  uncertainWrites: number;
  /**
   * Number of reads and writes in flight. A pinned state is not evicted, because the keys that it has
   * allocated may not be in KV yet.
   */
  pins: number;
}

/**
 * Allocates the sort keys of a context's requests: the clock in microseconds, or the context's last
 * key plus one if that is greater. So a request sorts after every request that was acknowledged
 * before it, even if a clock jumps back.
 *
 * If this process is the only writer, it also knows the latest request of a context, which is *known*
 * or *unknown*. It becomes known when a write is acknowledged (`stored`) or a read has found it
 * (`loadLatest`). It becomes unknown when a write fails, because that write may still be applied, and
 * when the context is evicted.
 */
export class SortKeyAllocator {
  #contexts = new Map<string, ContextState>();
  #readLast: (context: SupportContext) => Promise<number>;
  #isExclusive: boolean;

  /**
   * @param readLast reads the sort key of the context's latest stored request, or 0
   * @param isExclusive whether this process is the only writer, so that the state in memory is
   * authoritative. Otherwise the last key is read before each write
   */
  constructor(readLast: (context: SupportContext) => Promise<number>, isExclusive: boolean) {
    this.#readLast = readLast;
    this.#isExclusive = isExclusive;
  }

  /**
   * Runs a write with the next sort key. After a collision `run` calls `next` for a later key, and on
   * success it calls `stored` with the key that was stored. If it throws, the outcome is unknown.
   */
  async write<T>(
    context: SupportContext,
    nowMs: number,
    run: (ts: number, next: () => Promise<number>, stored: (ts: number) => void) => Promise<T>,
  ): Promise<T> {
    const state = this.#pin(context);
    const allocateAfter = (ts: number) =>
      state.allocated = Math.max(nowMs * 1000, state.allocated + 1, ts + 1);
    const next = async () => allocateAfter(await this.#readLast(context));
    const stored = (ts: number) => void (state.stored = Math.max(state.stored, ts));
    try {
      const mustRead = state.allocated === 0 || !this.#isExclusive;
      return await run(mustRead ? await next() : allocateAfter(0), next, stored);
    } catch (error) {
      state.uncertainWrites++;
      state.stored = 0;
      throw error;
    } finally {
      this.#unpin(state);
    }
  }

  /**
   * Returns the sort key of the context's latest acknowledged request, or null if it is unknown. Only
   * valid if this process is the only writer.
   */
  latest(context: SupportContext): number | null {
    return this.#contexts.get(contextId(context))?.stored || null;
  }

  /**
   * Runs a read that returns the context's latest sort key, or 0, and makes it known, unless a write
   * failed in the meantime: that one may have been applied after the read.
   */
  async loadLatest(context: SupportContext, read: () => Promise<number>): Promise<void> {
    const state = this.#pin(context);
    try {
      const { uncertainWrites } = state;
      const ts = await read();
      if (state.uncertainWrites === uncertainWrites) state.stored = Math.max(state.stored, ts);
    } finally {
      this.#unpin(state);
    }
  }

  /** Returns the state of a context and keeps it from being evicted until it is unpinned. */
  #pin(context: SupportContext): ContextState {
    const id = contextId(context);
    const state = this.#contexts.get(id) ??
      { allocated: 0, stored: 0, uncertainWrites: 0, pins: 0 };
    // Moved to the end: the map is ordered from least to most recently used.
    this.#contexts.delete(id);
    this.#contexts.set(id, state);
    state.pins++;
    return state;
  }

  #unpin(state: ContextState): void {
    state.pins--;
    this.#evict();
  }

  #evict(): void {
    if (this.#contexts.size <= MAX_CONTEXTS) return;
    for (const [id, { pins }] of this.#contexts) {
      if (pins > 0) continue;
      this.#contexts.delete(id);
      if (this.#contexts.size <= MAX_CONTEXTS) return;
    }
  }
}
