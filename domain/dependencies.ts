import type { Clock } from "./ports/clock.ts";
import type { Desk } from "./ports/desk.ts";
import type { Log } from "./ports/log.ts";
import type { Store } from "./ports/store.ts";
import type { Reference } from "./model/reference.ts";
import type { Telemetry } from "./ports/telemetry.ts";
import type { InFlightTracker } from "./in_flight.ts";

/** All that the use cases work with, composed once in `main.ts`. */
export interface Dependencies {
  store: Store;
  /** Null where no desk is configured. */
  desk: Desk | null;
  /** Milliseconds that everything sent to the desk for one submission may take together. */
  deskTimeoutMs: number;
  clock: Clock;
  log: Log;
  telemetry: Telemetry;
  generateReference(now: number): Reference;
  inFlight: InFlightTracker;
}
