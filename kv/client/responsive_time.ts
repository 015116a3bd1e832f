/**
 * Timeouts that count the time in which this process could have received a result. A timer that
 * fires late, because the event loop was busy or the process was paused, runs before results that
 * have been waiting: with a timer per call, requests that KV had stored were reported as timed out.
 */

/** The resolution of timeouts, in milliseconds. */
const TICK_MS = 50;
/**
 * A call may start just before a tick, and a result that arrives during the last interval may wait
 * behind it. So a timeout ends 50 to 100 ms late rather than too early.
 */
const EXTRA_TICKS = 2;

interface Watch {
  expiresAt: number;
  /** Undefined once the timeout is over or stopped. */
  onExpiry?: () => void;
}

const watches = new Set<Watch>();
let ticks = 0;
let timer: ReturnType<typeof setTimeout> | undefined;

/**
 * Calls `onExpiry` after `timeoutMs` of responsive time, unless the returned function is called
 * before. One timer for all calls, which costs less than one for each: it counts an interval as
 * {@linkcode TICK_MS}, however late it fires, and it is set again only after it has fired, so that the
 * event loop delivers results between any two ticks.
 */
export function startTimeout(timeoutMs: number, onExpiry: () => void): () => void {
  const expiresAt = ticks + Math.ceil(timeoutMs / TICK_MS) + EXTRA_TICKS;
  const watch: Watch = { expiresAt, onExpiry };
  watches.add(watch);
  timer ??= setTimeout(tick, TICK_MS);
  return () => {
    // V8 keeps the elements of a set alive for longer than they are in it: when a set grows or shrinks,
    // its old table refers to the new one, and a table that has reached the old generation keeps all
    // later ones until the next full collection. Garbage collection took 4 % of a submission more.
    watch.onExpiry = undefined;
    if (!watches.delete(watch) || watches.size > 0) return;
    clearTimeout(timer);
    timer = undefined;
  };
}

function tick(): void {
  ticks++;
  timer = undefined;
  for (const watch of watches) {
    if (watch.expiresAt > ticks) continue;
    watches.delete(watch);
    watch.onExpiry?.();
  }
  if (watches.size > 0) timer ??= setTimeout(tick, TICK_MS);
}
