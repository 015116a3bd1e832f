import type { Dependencies } from "../../domain/dependencies.ts";
import type { Bindings, Handler } from "./server.ts";

/**
 * Maximum number of `POST` requests that are started and have not finished. Most of them wait for the
 * desk, each with about 30 KB.
 */
export const MAX_IN_FLIGHT = 1_000;
/**
 * Maximum number of `POST` requests in flight that were started during the last one or two ticks, and so
 * may still use the CPU or the store. One commit holds about 50 submissions: one half is being committed
 * while the other is being prepared.
 */
export const MAX_ACTIVE = 100;
/** How long a request may wait, in milliseconds: as long as it may then wait for the store. */
export const MAX_WAIT_MS = 2_000;
/** Maximum number of waiting requests: as many as are stored in {@linkcode MAX_WAIT_MS}. */
export const MAX_WAITING = 10_000;
/**
 * Maximum number of waiting requests that are started or rejected in one turn of the event loop. A turn
 * takes at least a millisecond, so this is also the most per millisecond: more than are stored.
 */
export const MAX_PER_TURN = 16;
/** How often a request is counted as active at least, once or twice, in milliseconds. */
const TICK_MS = 50;

interface Waiting {
  since: number;
  start(isOverloaded: boolean): void;
}

/**
 * Decides when each `POST` request is started. Deno dispatches all requests that have arrived in one
 * turn of the event loop. If all of them were started, the steps of thousands would follow one another
 * for seconds, in which no health check is read and nothing is committed. Here, some are active, and the
 * others wait in the order of their arrival:
 *
 * ```
 * waiting ──► active ──────────────► finished
 *    │          │ 50 to 100 ms          ▲
 *    │ 2 s      └─────► in flight ──────┘
 *    ▼
 * rejected with 503 (`isOverloaded`), after authentication and before anything is read or stored
 * ```
 *
 * A request that waits for the desk or for the rest of its body uses no CPU. So it stops being active
 * after two ticks, and a hundred such requests delay no other. Ticks count responsive time: the timer of
 * a tick is set when the last one has fired, so that a busy event loop makes them longer.
 *
 * Requests are rejected late on purpose. A connection whose request waits sends no other one, whereas a
 * client that is rejected may try again immediately, and a rejection costs a third of a submission. The
 * gain, with 5,000 connections that always send again: 1,400 to 2,900 submissions are stored in the first
 * second instead of 100 to 400.
 *
 * A waiting request is in flight for a shutdown, and its log line counts the wait.
 */
export class Admission {
  readonly #handler: Handler;
  readonly #deps: Pick<Dependencies, "clock" | "inFlight">;
  #waiting: Waiting[] = [];
  #inFlight = 0;
  #ticks = 0;
  /** Requests in flight that were started since the last tick, and in the interval before it. */
  #started = 0;
  #startedBefore = 0;
  #ticker: ReturnType<typeof setTimeout> | undefined;
  #isTurnScheduled = false;

  constructor(handler: Handler, deps: Pick<Dependencies, "clock" | "inFlight">) {
    this.#handler = handler;
    this.#deps = deps;
  }

  readonly handle: Handler = (request, bindings) => {
    if (request.method !== "POST") return this.#handler(request, bindings);
    if (this.#waiting.length === 0 && this.#hasRoom()) return this.#start(request, bindings);
    return this.#wait(request, bindings);
  };

  #hasRoom(): boolean {
    return this.#started + this.#startedBefore < MAX_ACTIVE && this.#inFlight < MAX_IN_FLIGHT;
  }

  async #start(request: Request, bindings: Bindings): Promise<Response> {
    const startedAt = this.#ticks;
    this.#inFlight++;
    this.#started++;
    try {
      return await this.#handler(request, bindings);
    } finally {
      this.#inFlight--;
      if (startedAt === this.#ticks) this.#started--;
      else if (startedAt === this.#ticks - 1) this.#startedBefore--;
      this.#scheduleTurn();
    }
  }

  #wait(request: Request, bindings: Bindings): Promise<Response> {
    const { clock, inFlight } = this.#deps;
    const { promise, resolve } = Promise.withResolvers<Response>();
    const since = clock.elapsed();
    inFlight.requestStarted();
    this.#waiting.push({
      since,
      start: (isOverloaded) => {
        const waited = { arrivedAt: since, ...bindings, isOverloaded };
        resolve(isOverloaded ? this.#handler(request, waited) : this.#start(request, waited));
        inFlight.requestFinished();
      },
    });
    this.#tickWhileWaiting();
    this.#scheduleTurn();
    return promise;
  }

  #tickWhileWaiting(): void {
    this.#ticker ??= setTimeout(() => {
      this.#ticks++;
      this.#startedBefore = this.#started;
      this.#started = 0;
      this.#ticker = undefined;
      this.#tickWhileWaiting();
      this.#scheduleTurn();
    }, TICK_MS);
  }

  /** Not with `setImmediate`: Deno runs that before it reads from any connection. */
  #scheduleTurn(): void {
    if (this.#isTurnScheduled || this.#next() === null) return;
    this.#isTurnScheduled = true;
    setTimeout(() => {
      this.#isTurnScheduled = false;
      this.#takeTurn();
      this.#scheduleTurn();
    });
  }

  #takeTurn(): void {
    for (let count = 0; count < MAX_PER_TURN; count++) {
      const next = this.#next();
      if (next === null) break;
      this.#waiting.shift()!.start(next === "rejected");
    }
    if (this.#waiting.length > 0) return;
    clearTimeout(this.#ticker);
    this.#ticker = undefined;
  }

  /** Returns what happens now to the request that has waited longest, if anything does. */
  #next(): "started" | "rejected" | null {
    const first = this.#waiting[0];
    if (first === undefined) return null;
    const isOverdue = this.#waiting.length > MAX_WAITING ||
      this.#deps.clock.elapsed() - first.since >= MAX_WAIT_MS;
    if (isOverdue) return "rejected";
    return this.#hasRoom() ? "started" : null;
  }
}
