/**
 * Reads of the latest request of a context, coalesced. Used only if this process is the store's only
 * writer, because it relies on the sort keys that {@linkcode SortKeyAllocator} has in memory.
 *
 * The reader is *idle* or *reading*. It starts reading with the first call of `read`, works in
 * rounds, and becomes idle after a round without a further call of `read`.
 *
 * A read of one context is in one of these states:
 *
 * - *open*: entered with the first call for the context. Every further call for the context joins it.
 *   Left when the next round starts, which is immediately if the reader is idle.
 * - *in flight*: part of the present round. No call joins it: the next call for the context opens
 *   another read. Left when KV has responded, or after the timeout of a KV call.
 *
 * The invariant: a read starts after all calls that share it, so each caller sees every request that
 * was acknowledged before its call.
 *
 * In a round, a context whose latest sort key is known is read by its key, ten contexts per
 * `getMany`. Any other context takes one `list`, which makes its sort key known if it has a request.
 * While a timed-out commit may still be applied, what a `list` finds is not relied on later.
 *
 * The gain, measured with `deno task bench` at 64 connections that read one context: instead of 1.4 to
 * 2.3 times the reads per second of a bare server, one `list` per call gives 0.5 to 0.6 times. Without
 * the cache of parsed records, 80 % of the reads per second remain (65 % with 1,000 contexts); without
 * `getMany` for several contexts, 65 % (with 1,000 contexts).
 */
import { contextId, type SupportContext } from "../domain/model/context.ts";
import type { StoredRequest } from "../domain/ports/store.ts";
import { call, type KvHandle } from "./client/call.ts";
import { contextPrefix, MAX_GET_MANY_KEYS, requestKey } from "./keys.ts";
import { sortKey, toStored } from "./records.ts";
import type { SortKeyAllocator } from "./sort_keys.ts";

/** Maximum number of parsed records in memory. A record has at most 64 KiB. */
const MAX_PARSED = 1_000;

/** A read of one context, and the promise that its callers share. */
interface SharedRead extends PromiseWithResolvers<StoredRequest | null> {
  id: string;
  context: SupportContext;
}

/** A read of a context whose latest sort key is known. */
interface KeyedRead {
  read: SharedRead;
  ts: number;
}

export interface LatestRequestReaderOptions {
  sortKeys: SortKeyAllocator;
  /** Returns whether a timed-out commit may still be applied. */
  hasUncertainCommits(): boolean;
}

export class LatestRequestReader {
  #kv: KvHandle;
  #sortKeys: SortKeyAllocator;
  #hasUncertainCommits: () => boolean;
  #open = new Map<string, SharedRead>();
  #parsed = new Map<string, StoredRequest>();
  #isReading = false;

  constructor(
    kv: KvHandle,
    { sortKeys, hasUncertainCommits }: LatestRequestReaderOptions,
  ) {
    this.#kv = kv;
    this.#sortKeys = sortKeys;
    this.#hasUncertainCommits = hasUncertainCommits;
  }

  /**
   * Returns the latest request of a context, or null if there is none.
   *
   * @throws {StoreUnavailableError}
   * @throws {z.ZodError} if the record does not parse
   */
  read(context: SupportContext): Promise<StoredRequest | null> {
    const id = contextId(context);
    let read = this.#open.get(id);
    if (read === undefined) {
      read = { id, context, ...Promise.withResolvers<StoredRequest | null>() };
      this.#open.set(id, read);
    }
    if (!this.#isReading) this.#readInRounds();
    return read.promise;
  }

  /** Never rejects. */
  async #readInRounds(): Promise<void> {
    this.#isReading = true;
    while (this.#open.size > 0) {
      const reads = this.#open.values();
      this.#open = new Map();
      const keyed: KeyedRead[] = [];
      const lists: Promise<void>[] = [];
      for (const read of reads) {
        const ts = this.#sortKeys.latest(read.context);
        if (ts === null) lists.push(this.#list(read));
        else keyed.push({ read, ts });
      }
      const gets = [];
      for (let i = 0; i < keyed.length; i += MAX_GET_MANY_KEYS) {
        gets.push(this.#getMany(keyed.slice(i, i + MAX_GET_MANY_KEYS)));
      }
      await Promise.all([...lists, ...gets]);
    }
    this.#isReading = false;
  }

  async #getMany(keyed: KeyedRead[]): Promise<void> {
    try {
      const keys = keyed.map(({ read, ts }) => requestKey(read.context, ts));
      const entries = await call(this.#kv, (kv) => kv.getMany<unknown[]>(keys));
      keyed.forEach((read, i) => this.#resolve(read, entries[i]!));
    } catch (error) {
      for (const { read } of keyed) read.reject(error);
    }
  }

  /** Separate for each read, so that a record that does not parse fails its own context only. */
  #resolve({ read, ts }: KeyedRead, entry: Deno.KvEntryMaybe<unknown>): void {
    try {
      // If KV has removed the record because it expired, an older one may still exist.
      read.resolve(this.#parse(read.id, ts, entry) ?? readLatest(this.#kv, read.context));
    } catch (error) {
      read.reject(error);
    }
  }

  /** Returns the parsed record. Sort key and versionstamp together identify a revision. */
  #parse(id: string, ts: number, entry: Deno.KvEntryMaybe<unknown>): StoredRequest | null {
    const cached = this.#parsed.get(id);
    if (cached?.versionstamp === entry.versionstamp && cached.ts === ts) return cached;
    this.#parsed.delete(id);
    const stored = toStored(entry);
    if (stored === null) return null;
    this.#parsed.set(id, stored);
    if (this.#parsed.size > MAX_PARSED) this.#parsed.delete(this.#parsed.keys().next().value!);
    return stored;
  }

  async #list(read: SharedRead): Promise<void> {
    try {
      const { context } = read;
      if (this.#hasUncertainCommits()) return read.resolve(await readLatest(this.#kv, context));
      await this.#sortKeys.loadLatest(context, async () => {
        const entry = await readLastEntry(this.#kv, context);
        read.resolve(entry === undefined ? null : toStored(entry));
        return entry === undefined ? 0 : sortKey(entry.key);
      });
    } catch (error) {
      read.reject(error);
    }
  }
}

/** Returns the entry of a context's latest request, which may not parse. */
export async function readLastEntry(
  kv: KvHandle,
  context: SupportContext,
): Promise<Deno.KvEntry<unknown> | undefined> {
  const selector = { prefix: contextPrefix(context) };
  const entries = await call(
    kv,
    (kv) => Array.fromAsync(kv.list(selector, { limit: 1, reverse: true })),
  );
  return entries[0];
}

/** Reads a context's latest request with one `list`; null if there is none. */
export async function readLatest(
  kv: KvHandle,
  context: SupportContext,
): Promise<StoredRequest | null> {
  const entry = await readLastEntry(kv, context);
  return entry === undefined ? null : toStored(entry);
}
