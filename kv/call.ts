import { StoreUnavailable } from "../domain/ports.ts";

/** No call waits longer: KV Connect has no deadline of its own. */
const DEADLINE_MS = 2_000;
const FIRST_PAUSE_MS = 5;

/** A handle that is being opened is a store that does not answer yet. */
export type KvHandle = Deno.Kv | Promise<Deno.Kv>;

/**
 * Makes one KV call. A locked database is tried again, because nothing was written then; anything
 * else that fails, or takes over two seconds, is a store that is unavailable. A commit that timed
 * out may still land.
 *
 * @throws {StoreUnavailable}
 */
export async function call<T>(
  handle: KvHandle,
  run: (kv: Deno.Kv) => Promise<T>,
  deadlineMs = DEADLINE_MS,
): Promise<T> {
  const late = Promise.withResolvers<never>();
  let isOver = false;
  const timer = setTimeout(() => {
    isOver = true;
    late.reject(new StoreUnavailable(`KV did not answer within ${deadlineMs} ms`));
  }, deadlineMs);
  try {
    return await Promise.race([late.promise, persist(handle, run, () => isOver)]);
  } catch (error) {
    if (error instanceof StoreUnavailable) throw error;
    throw new StoreUnavailable(`KV failed: ${error instanceof Error ? error.message : error}`);
  } finally {
    clearTimeout(timer);
  }
}

async function persist<T>(
  handle: KvHandle,
  run: (kv: Deno.Kv) => Promise<T>,
  isOver: () => boolean,
): Promise<T> {
  const kv = await handle;
  for (let pause = FIRST_PAUSE_MS;; pause *= 2) {
    try {
      return await run(kv);
    } catch (error) {
      const isLocked = error instanceof Error && error.message.includes("database is locked");
      if (!isLocked || isOver()) throw error;
      await new Promise((resolve) => setTimeout(resolve, pause));
      if (isOver()) throw error;
    }
  }
}
