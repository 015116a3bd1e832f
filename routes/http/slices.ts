import type { Dependencies } from "../../domain/dependencies.ts";
import type { Bindings, Handler } from "./server.ts";

/** Number of `POST` requests in flight up to which a further one is started as soon as it arrives. */
export const MAX_STARTED_ON_ARRIVAL = 100;
/**
 * Number of waiting requests that are started in one turn of the event loop. A turn takes at least a
 * millisecond, so this is also the most that can be started per millisecond: more than are stored.
 */
export const STARTED_PER_TURN = 16;

/**
 * Returns a handler that starts a burst of `POST` requests in slices. Deno dispatches all requests that
 * have arrived in one turn of the event loop, and then the steps of thousands of them would follow one
 * another for seconds, in which no health check is read and nothing is committed. Here, those beyond the
 * first hundred in flight wait, and each turn starts some of them, in the order of their arrival. A
 * request that waits is in flight, so that a shutdown waits for it, and its log line counts the wait.
 *
 * The gain, with 5,000 concurrent submissions on two cores that two busy loops and other programs used,
 * too: 2,000 to 5,000 are stored instead of 1,000, and the 99th percentile of `/livez` is 0.2 to 0.8 s
 * instead of 1.2 to 3.1 s.
 */
export function inSlices(
  handler: Handler,
  { clock, inFlight: tracker }: Pick<Dependencies, "clock" | "inFlight">,
): Handler {
  let inFlight = 0;
  let waiting: (() => void)[] = [];

  function startSlice(): void {
    const slice = waiting.slice(0, STARTED_PER_TURN);
    waiting = waiting.slice(STARTED_PER_TURN);
    for (const start of slice) start();
    if (waiting.length > 0) startNextTurn();
  }

  /** Not with `setImmediate`: Deno runs that before it reads from any connection. */
  function startNextTurn(): void {
    setTimeout(startSlice);
  }

  async function handle(request: Request, bindings: Bindings): Promise<Response> {
    inFlight++;
    try {
      return await handler(request, bindings);
    } finally {
      inFlight--;
    }
  }

  return (request, bindings) => {
    if (request.method !== "POST") return handler(request, bindings);
    if (inFlight < MAX_STARTED_ON_ARRIVAL && waiting.length === 0) return handle(request, bindings);
    const { promise, resolve } = Promise.withResolvers<Response>();
    const arrivedAt = clock.elapsed();
    tracker.requestStarted();
    waiting.push(() => {
      resolve(handle(request, { arrivedAt, ...bindings }));
      tracker.requestFinished();
    });
    if (waiting.length === 1) startNextTurn();
    return promise;
  };
}
