import { StoreUnavailableError } from "../../domain/ports/store.ts";
import { KvConnection, newSession, type Session } from "./connection.ts";
import { kvErrorMessage } from "./error_message.ts";
import { startTimeout } from "./responsive_time.ts";

/**
 * Timeout of every KV call, in milliseconds of responsive time (responsive_time.ts), because KV
 * Connect has none.
 */
export const CALL_TIMEOUT_MS = 2_000;
const INITIAL_BACKOFF_MS = 5;
/** Short, so that several retries fit into the timeout and into the two seconds of a finalization. */
const MAX_BACKOFF_MS = 80;
/**
 * A call to an unresponsive KV Connect server stays pending and cannot be cancelled. Every abandoned
 * call holds memory and keeps retrying, so their number is limited.
 */
const MAX_ABANDONED_CALLS = 100;

/** A KV handle, the promise of one that is still being opened, or a connection that replaces its own. */
export type KvHandle = Deno.Kv | Promise<Deno.Kv> | KvConnection;

/** Sessions of handles that are not a {@linkcode KvConnection}. */
const sessions = new WeakMap<Deno.Kv | Promise<Deno.Kv>, Session>();

/**
 * Makes one KV call. "database is locked" is retried with exponential backoff, because nothing was
 * written; any other error is not. A commit that timed out may still be applied, but no attempt
 * starts after the timeout, and no call starts while too many timed-out calls are pending.
 *
 * @throws {StoreUnavailableError} on any error of KV, or after `timeoutMs`
 */
export function call<T>(
  handle: KvHandle,
  run: (kv: Deno.Kv) => Promise<T>,
  timeoutMs = CALL_TIMEOUT_MS,
): Promise<T> {
  return startCall(handle, run, timeoutMs).result;
}

/**
 * Makes one commit, as {@linkcode call} does, and records in the health of a connection whether it
 * was written. A failed check proves nothing: a full disk returns one, too.
 *
 * @throws {StoreUnavailableError}
 */
export function commit(
  handle: KvHandle,
  run: (kv: Deno.Kv) => Promise<Deno.KvCommitResult | Deno.KvCommitError>,
  timeoutMs = CALL_TIMEOUT_MS,
): Promise<Deno.KvCommitResult | Deno.KvCommitError> {
  const { number, result } = startCall(handle, run, timeoutMs);
  if (!(handle instanceof KvConnection)) return result;
  return result.then((committed) => {
    if (committed.ok) handle.health.succeeded(number);
    return committed;
  }, (error) => {
    handle.health.failed(number);
    throw error;
  });
}

function startCall<T>(
  handle: KvHandle,
  run: (kv: Deno.Kv) => Promise<T>,
  timeoutMs: number,
): { number: number; result: Promise<T> } {
  const connection = handle instanceof KvConnection ? handle : null;
  const session = sessionOf(handle);
  const number = connection?.health.start() ?? 0;
  if (session.abandonedCalls >= MAX_ABANDONED_CALLS) {
    const error = new StoreUnavailableError(
      `${MAX_ABANDONED_CALLS} KV calls that timed out are still pending`,
    );
    return { number, result: Promise.reject(error) };
  }
  const { responses } = session;
  const timeout: Timeout = { hasExpired: false };
  const running = runWithRetries(session.kv, run, timeout);
  // After the call has started, so that KV works in the meantime.
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const stopTimeout = startTimeout(timeoutMs, () => {
    session.abandonedCalls++;
    timeout.hasExpired = true;
    timeout.onExpiry?.();
    connection?.health.failed(number);
    connection?.timedOut(session, responses);
    reject(timeoutError(timeoutMs));
  });
  const end = () => {
    if (timeout.hasExpired) session.abandonedCalls--;
    else stopTimeout();
  };
  running.then((result) => {
    end();
    session.responses++;
    resolve(result);
  }, (error) => {
    end();
    reject(toStoreUnavailable(error));
  });
  return { number, result: promise };
}

function sessionOf(handle: KvHandle): Session {
  if (handle instanceof KvConnection) return handle.session;
  const known = sessions.get(handle);
  if (known !== undefined) return known;
  const session = newSession(handle);
  sessions.set(handle, session);
  return session;
}

/** Returns whether a timed-out call is still pending, so that a commit may still be applied. */
export function hasAbandonedCalls(handle: KvHandle): boolean {
  const all = handle instanceof KvConnection ? handle.sessions : [sessionOf(handle)];
  return all.some(({ abandonedCalls }) => abandonedCalls > 0);
}

/** Returns the error of a call that timed out. */
export function timeoutError(timeoutMs = CALL_TIMEOUT_MS): StoreUnavailableError {
  return new StoreUnavailableError(`KV did not respond within ${timeoutMs} ms`);
}

function toStoreUnavailable(error: unknown): StoreUnavailableError {
  if (error instanceof StoreUnavailableError) return error;
  return new StoreUnavailableError(`KV failed: ${kvErrorMessage(error)}`);
}

/** Not an `AbortSignal`: creating one costs as much as the rest of the call. */
interface Timeout {
  hasExpired: boolean;
  onExpiry?: () => void;
}

async function runWithRetries<T>(
  handle: Session["kv"],
  run: (kv: Deno.Kv) => Promise<T>,
  timeout: Timeout,
): Promise<T> {
  // An opened handle is used without delay, so that KV works while the caller goes on.
  const kv = handle instanceof Promise ? await handle : handle;
  for (let ms = INITIAL_BACKOFF_MS;; ms = Math.min(2 * ms, MAX_BACKOFF_MS)) {
    // The caller's promise has been rejected with "unavailable", so nothing may be written now.
    if (timeout.hasExpired) throw timeoutError();
    try {
      return await run(kv);
    } catch (error) {
      const isLocked = error instanceof Error && error.message.includes("database is locked");
      if (!isLocked) throw error;
    }
    await backOff(ms, timeout);
  }
}

/** Resolves after the delay, or when the call times out if that is sooner. */
function backOff(milliseconds: number, timeout: Timeout): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  timeout.onExpiry = () => {
    clearTimeout(timer);
    resolve();
  };
  return promise;
}
