import { StoreUnavailable } from "../domain/ports.ts";
import { messageOf } from "./error_message.ts";

/** No call waits longer: KV Connect has no deadline of its own. */
export const DEADLINE_MS = 2_000;
const FIRST_PAUSE_MS = 5;
/** Short enough to be tried again often before the deadline, and in a finalization's two seconds. */
const LONGEST_PAUSE_MS = 80;
/**
 * A call to a KV Connect server that hangs or fails never ends, and cannot be called off: each
 * would keep its memory, and go on asking the server.
 */
const MAX_LEFT_BEHIND = 100;

/** A handle that is being opened is a store that does not answer yet. */
export type KvHandle = Deno.Kv | Promise<Deno.Kv>;

/** How many calls nobody waits for any more, though they have not ended. */
const leftBehind = new WeakMap<KvHandle, number>();

/**
 * Makes one KV call. A locked database is tried again, because nothing was written then; anything
 * else that fails, or takes over two seconds, is a store that is unavailable. A commit that timed
 * out may still land, but none is begun after the deadline, and none while too many that timed out
 * have not ended.
 *
 * @throws {StoreUnavailable}
 */
export function call<T>(
  handle: KvHandle,
  run: (kv: Deno.Kv) => Promise<T>,
  deadlineMs = DEADLINE_MS,
): Promise<T> {
  if ((leftBehind.get(handle) ?? 0) >= MAX_LEFT_BEHIND) {
    return Promise.reject(new StoreUnavailable(`KV has left ${MAX_LEFT_BEHIND} calls unanswered`));
  }
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const deadline: Deadline = { isOver: false };
  const running = persist(handle, run, deadline);
  const timer = setTimeout(() => {
    leaveBehind(handle, running);
    deadline.isOver = true;
    deadline.onOver?.();
    reject(unanswered(deadlineMs));
  }, deadlineMs);
  running.then((result) => {
    clearTimeout(timer);
    resolve(result);
  }, (error) => {
    clearTimeout(timer);
    reject(unavailable(error));
  });
  return promise;
}

/** Whether a call that nobody waits for has not ended, so that a commit may still land. */
export function hasLeftBehind(handle: KvHandle): boolean {
  return (leftBehind.get(handle) ?? 0) > 0;
}

/** What a call that took too long comes to. */
export function unanswered(deadlineMs = DEADLINE_MS): StoreUnavailable {
  return new StoreUnavailable(`KV did not answer within ${deadlineMs} ms`);
}

function unavailable(error: unknown): StoreUnavailable {
  if (error instanceof StoreUnavailable) return error;
  return new StoreUnavailable(`KV failed: ${messageOf(error)}`);
}

/** Counts a call until it ends. */
function leaveBehind(handle: KvHandle, running: Promise<unknown>): void {
  const count = (by: number) => leftBehind.set(handle, (leftBehind.get(handle) ?? 0) + by);
  const ended = () => count(-1);
  count(1);
  running.then(ended, ended);
}

/** Not an `AbortSignal`: making one takes as long as all else about a call. */
interface Deadline {
  isOver: boolean;
  onOver?: () => void;
}

async function persist<T>(
  handle: KvHandle,
  run: (kv: Deno.Kv) => Promise<T>,
  deadline: Deadline,
): Promise<T> {
  const kv = await handle;
  for (let ms = FIRST_PAUSE_MS;; ms = Math.min(2 * ms, LONGEST_PAUSE_MS)) {
    // Whoever asked has been told that the store is unavailable: a write now would surprise them.
    if (deadline.isOver) throw unanswered();
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
function pause(milliseconds: number, deadline: Deadline): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  deadline.onOver = () => {
    clearTimeout(timer);
    resolve();
  };
  return promise;
}
