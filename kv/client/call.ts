import { StoreUnavailableError } from "../../domain/ports/store.ts";
import { KvConnection, newSession, type Session } from "./connection.ts";
import { kvErrorMessage } from "./error_message.ts";

/** No call waits longer: KV Connect has no deadline of its own. */
export const CALL_TIMEOUT_MS = 2_000;
const INITIAL_BACKOFF_MS = 5;
/** Short enough to be tried again often before the deadline, and in a finalization's two seconds. */
const MAX_BACKOFF_MS = 80;
/**
 * A call to a KV Connect server that hangs or fails never ends, and cannot be called off: each
 * would keep its memory, and go on asking the server.
 */
const MAX_ABANDONED_CALLS = 100;

/** A handle that is being opened is a store that does not answer yet. */
export type KvHandle = Deno.Kv | Promise<Deno.Kv> | KvConnection;

/** Of handles that are no connection. */
const sessions = new WeakMap<Deno.Kv | Promise<Deno.Kv>, Session>();

/**
 * Makes one KV call. A locked database is tried again, because nothing was written then; anything
 * else that fails, or takes over two seconds, is a store that is unavailable. A commit that timed
 * out may still land, but none is begun after the deadline, and none while too many that timed out
 * have not ended.
 *
 * @throws {StoreUnavailableError}
 */
export function call<T>(
  handle: KvHandle,
  run: (kv: Deno.Kv) => Promise<T>,
  deadlineMs = CALL_TIMEOUT_MS,
): Promise<T> {
  return startCall(handle, run, deadlineMs).result;
}

/**
 * Makes one commit, as {@linkcode call} does, and records on a connection what it shows of the
 * store. A failed check shows nothing.
 *
 * @throws {StoreUnavailableError}
 */
export function commit(
  handle: KvHandle,
  run: (kv: Deno.Kv) => Promise<Deno.KvCommitResult | Deno.KvCommitError>,
  deadlineMs = CALL_TIMEOUT_MS,
): Promise<Deno.KvCommitResult | Deno.KvCommitError> {
  const { number, result } = startCall(handle, run, deadlineMs);
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
  deadlineMs: number,
): { number: number; result: Promise<T> } {
  const connection = handle instanceof KvConnection ? handle : null;
  const session = sessionOf(handle);
  const number = connection?.health.start() ?? 0;
  if (session.abandonedCalls >= MAX_ABANDONED_CALLS) {
    const error = new StoreUnavailableError(`KV has left ${MAX_ABANDONED_CALLS} calls unanswered`);
    return { number, result: Promise.reject(error) };
  }
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const deadline: Timeout = { hasExpired: false };
  const { responses } = session;
  const timer = setTimeout(() => {
    session.abandonedCalls++;
    deadline.hasExpired = true;
    deadline.onExpiry?.();
    connection?.health.failed(number);
    connection?.timedOut(session, responses);
    reject(timeoutError(deadlineMs));
  }, deadlineMs);
  const end = () => {
    if (deadline.hasExpired) session.abandonedCalls--;
    else clearTimeout(timer);
  };
  runWithRetries(session.kv, run, deadline).then((result) => {
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

/** Whether a call that nobody waits for has not ended, so that a commit may still land. */
export function hasAbandonedCalls(handle: KvHandle): boolean {
  const all = handle instanceof KvConnection ? handle.sessions : [sessionOf(handle)];
  return all.some(({ abandonedCalls }) => abandonedCalls > 0);
}

/** What a call that took too long comes to. */
export function timeoutError(deadlineMs = CALL_TIMEOUT_MS): StoreUnavailableError {
  return new StoreUnavailableError(`KV did not answer within ${deadlineMs} ms`);
}

function toStoreUnavailable(error: unknown): StoreUnavailableError {
  if (error instanceof StoreUnavailableError) return error;
  return new StoreUnavailableError(`KV failed: ${kvErrorMessage(error)}`);
}

/** Not an `AbortSignal`: making one takes as long as all else about a call. */
interface Timeout {
  hasExpired: boolean;
  onExpiry?: () => void;
}

async function runWithRetries<T>(
  handle: Session["kv"],
  run: (kv: Deno.Kv) => Promise<T>,
  deadline: Timeout,
): Promise<T> {
  const kv = await handle;
  for (let ms = INITIAL_BACKOFF_MS;; ms = Math.min(2 * ms, MAX_BACKOFF_MS)) {
    // Whoever asked has been told that the store is unavailable: a write now would surprise them.
    if (deadline.hasExpired) throw timeoutError();
    try {
      return await run(kv);
    } catch (error) {
      const isLocked = error instanceof Error && error.message.includes("database is locked");
      if (!isLocked) throw error;
    }
    await pause(ms, deadline);
  }
}

/** Ends with the deadline at the latest. */
function pause(milliseconds: number, deadline: Timeout): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  deadline.onExpiry = () => {
    clearTimeout(timer);
    resolve();
  };
  return promise;
}
