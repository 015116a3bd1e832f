import { openFile } from "./open_file.ts";
import type { KvLocation, OpenedStore } from "./opened_store.ts";

/** Timeout for the first response of a KV Connect server. */
const CONNECT_TIMEOUT_MS = 2_000;
/** Maximum number of pending `Deno.openKv` calls by `reopen`: they cannot be cancelled. */
const MAX_OPEN_ATTEMPTS = 3;

/**
 * Opens the store. Any but a local file must open within `timeoutMs`, because `Deno.openKv` has no
 * timeout.
 *
 * @throws {OpenStoreError} for a local file, on any error
 * @throws {Error} for any other store, which the caller may try to open again
 */
export async function openStore(location: KvLocation, timeoutMs = 10_000): Promise<OpenedStore> {
  if (location.kind === "file") return await openFile(location.path);
  const url = location.kind === "connect" ? location.url : undefined;
  // While the network drops packets, each `Deno.openKv` hangs for longer than the one before.
  if (url !== undefined) await connect(url, Math.min(CONNECT_TIMEOUT_MS, timeoutMs));
  let kv = await withTimeout(timeoutMs, Deno.openKv(url));
  let pendingAttempts = 0;
  const reopen = async () => {
    if (url === undefined || pendingAttempts >= MAX_OPEN_ATTEMPTS) return null;
    try {
      // `Deno.openKv` cannot be cancelled, so it is called only when the server has just responded.
      await connect(url, CONNECT_TIMEOUT_MS);
      const opening = Deno.openKv(url);
      pendingAttempts++;
      const ended = () => void pendingAttempts--;
      opening.then(ended, ended);
      const opened = await withTimeout(CONNECT_TIMEOUT_MS, opening);
      kv.close();
      return kv = opened;
    } catch {
      return null;
    }
  };
  return {
    get kv() {
      return kv;
    },
    get reader() {
      return kv;
    },
    isFileIntact: () => Promise.resolve(true),
    reopen,
    close: () => kv.close(),
  };
}

/**
 * Resolves if an HTTP server responds over a new connection, with any status. Sends no
 * credentials.
 *
 * @throws {Error} if it does not respond in time
 */
async function connect(url: string, timeoutMs: number): Promise<void> {
  using client = Deno.createHttpClient({});
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, { client, signal, redirect: "manual" });
    await response.body?.cancel();
  } catch (error) {
    throw signal.aborted ? noResponseError(timeoutMs) : error;
  }
}

function noResponseError(timeoutMs: number): Error {
  return new Error(`The KV server did not respond within ${timeoutMs} ms`);
}

/** Rejects after `timeoutMs`. Opening cannot be cancelled; a handle that arrives later is closed. */
async function withTimeout(timeoutMs: number, opening: Promise<Deno.Kv>): Promise<Deno.Kv> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(noResponseError(timeoutMs)), timeoutMs);
  try {
    return await Promise.race([opening, late.promise]);
  } catch (error) {
    opening.then((kv) => kv.close(), () => {});
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
