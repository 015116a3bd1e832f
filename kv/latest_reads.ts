import type { SupportContext } from "../domain/model/context.ts";
import type { StoredRequest } from "../domain/ports/store.ts";
import { call, type KvHandle } from "./client/call.ts";
import { contextId, contextPrefix, MAX_GET_MANY_KEYS, requestKey } from "./keys.ts";
import { sortKey, toStored } from "./records.ts";
import type { SortKeyAllocator } from "./sort_keys.ts";

/** Contexts whose latest request is kept as it was parsed: a record has at most 64 KiB. */
const MAX_PARSED = 1_000;

interface Read extends PromiseWithResolvers<StoredRequest | null> {
  name: string;
  context: SupportContext;
}

/** A read whose sort key is known. */
interface KnownRead {
  read: Read;
  ts: number;
}

export interface LatestRequestReaderOptions {
  sequence: SortKeyAllocator;
  /** Whether a commit that nobody waits for any more may still land. */
  mayLand(): boolean;
}

/**
 * Reads the latest request of contexts where one process writes. Those who ask for the same context
 * share a read, one that begins after all of them asked: so each sees what was acknowledged before.
 * Keys that are known are read ten at a time, which takes half as long as a list each, and a
 * revision that was parsed before is not parsed again.
 */
export class LatestRequestReader {
  #kv: KvHandle;
  #sequence: SortKeyAllocator;
  #mayLand: () => boolean;
  #waiting = new Map<string, Read>();
  #parsed = new Map<string, StoredRequest>();
  #isReading = false;

  constructor(kv: KvHandle, { sequence, mayLand }: LatestRequestReaderOptions) {
    this.#kv = kv;
    this.#sequence = sequence;
    this.#mayLand = mayLand;
  }

  /** @throws {StoreUnavailableError} */
  read(context: SupportContext): Promise<StoredRequest | null> {
    const name = contextId(context);
    let read = this.#waiting.get(name);
    if (read === undefined) {
      const { promise, resolve, reject } = Promise.withResolvers<StoredRequest | null>();
      read = { name, context, promise, resolve, reject };
      this.#waiting.set(name, read);
    }
    if (!this.#isReading) this.#readAll();
    return read.promise;
  }

  /** Never rejects. */
  async #readAll(): Promise<void> {
    this.#isReading = true;
    while (this.#waiting.size > 0) {
      const reads = this.#waiting.values();
      this.#waiting = new Map();
      const known: KnownRead[] = [];
      const lists: Promise<void>[] = [];
      for (const read of reads) {
        const ts = this.#sequence.latest(read.context);
        if (ts === null) lists.push(this.#list(read));
        else known.push({ read, ts });
      }
      const gets = [];
      for (let i = 0; i < known.length; i += MAX_GET_MANY_KEYS) {
        gets.push(this.#get(known.slice(i, i + MAX_GET_MANY_KEYS)));
      }
      await Promise.all([...lists, ...gets]);
    }
    this.#isReading = false;
  }

  async #get(known: KnownRead[]): Promise<void> {
    try {
      const keys = known.map(({ read, ts }) => requestKey(read.context, ts));
      const entries = await call(this.#kv, (kv) => kv.getMany<unknown[]>(keys));
      known.forEach((read, i) => this.#answer(read, entries[i]!));
    } catch (error) {
      for (const { read } of known) read.reject(error);
    }
  }

  /** On its own: a record that cannot be read is no other context's failure. */
  #answer({ read, ts }: KnownRead, entry: Deno.KvEntryMaybe<unknown>): void {
    try {
      // What has expired may leave another that has not.
      read.resolve(this.#parse(read.name, ts, entry) ?? readLatest(this.#kv, read.context));
    } catch (error) {
      read.reject(error);
    }
  }

  /** Key and versionstamp together tell a revision from every other. */
  #parse(name: string, ts: number, entry: Deno.KvEntryMaybe<unknown>): StoredRequest | null {
    const known = this.#parsed.get(name);
    if (known?.versionstamp === entry.versionstamp && known.ts === ts) return known;
    this.#parsed.delete(name);
    const stored = toStored(entry);
    if (stored === null) return null;
    this.#parsed.set(name, stored);
    if (this.#parsed.size > MAX_PARSED) this.#parsed.delete(this.#parsed.keys().next().value!);
    return stored;
  }

  async #list(read: Read): Promise<void> {
    try {
      const { context } = read;
      if (this.#mayLand()) return read.resolve(await readLatest(this.#kv, context));
      await this.#sequence.loadLatest(context, async () => {
        const entry = await lastEntry(this.#kv, context);
        read.resolve(entry === undefined ? null : toStored(entry));
        return entry === undefined ? 0 : sortKey(entry.key);
      });
    } catch (error) {
      read.reject(error);
    }
  }
}

/** The entry of the context's latest request. */
export async function lastEntry(
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

/** The context's latest request, or null. */
export async function readLatest(
  kv: KvHandle,
  context: SupportContext,
): Promise<StoredRequest | null> {
  const entry = await lastEntry(kv, context);
  return entry === undefined ? null : toStored(entry);
}
