import type { InFlightTracker } from "../../domain/in_flight.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { Log } from "../../domain/ports/log.ts";

/**
 * Enough for a handoff (five seconds at the desk) and its finalization (two seconds of retries).
 */
const SHUTDOWN_TIMEOUT_MS = 10_000;
/** How long open connections may take to close once nothing is in flight. */
const CLOSE_TIMEOUT_MS = 1_000;

export interface ShutdownOptions {
  inFlight: InFlightTracker;
  clock: Pick<Clock, "wait">;
  log: Log;
  /** Called once nothing is in flight any more. */
  closeStore(): Promise<void>;
}

/**
 * Resolves at the first SIGTERM, or SIGINT (which Deno Deploy sends). Install it before listening,
 * because a supervisor may send a signal as soon as it reads "Listening". Later signals change
 * nothing: `deno task` forwards a Ctrl-C twice.
 */
export function stopSignal(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => resolve());
  }
  return promise;
}

/**
 * Stops accepting connections, waits for what is in flight, and closes the store: ten seconds at
 * most. A handoff that takes longer is abandoned; readers see it as interrupted, and it can be
 * resumed.
 */
export async function shutDown(
  server: { stop(): Promise<void> },
  { inFlight, clock, log, closeStore }: ShutdownOptions,
): Promise<void> {
  log.info("stopping", "Stopping");
  const finish = async () => {
    await drain(server, inFlight, clock);
    await closeStore();
  };
  await Promise.race([finish(), clock.wait(SHUTDOWN_TIMEOUT_MS)]);
  if (inFlight.oldestStart() === null) return;
  log.warn(
    "handoffs_abandoned",
    "Stopped with handoffs in flight; they will be reported as interrupted",
  );
}

async function drain(
  server: { stop(): Promise<void> },
  inFlight: InFlightTracker,
  clock: Pick<Clock, "wait">,
): Promise<void> {
  const closed = server.stop();
  // A connection stays open if its client has not sent all of a request that was rejected early.
  do {
    await inFlight.drained();
    await Promise.race([closed, clock.wait(CLOSE_TIMEOUT_MS)]);
  } while (!inFlight.isIdle());
}
