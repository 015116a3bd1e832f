import type { InFlightTracker } from "./in_flight.ts";
import type { Reference } from "./model/reference.ts";
import type { Clock } from "./ports/clock.ts";
import type { Desk } from "./ports/desk.ts";
import type { Log } from "./ports/log.ts";
import type { Store } from "./ports/store.ts";
import type { Telemetry } from "./ports/telemetry.ts";

/** The dependencies of the use cases, composed once in `main.ts`. */
export interface Dependencies {
  store: Store;
  /** Null if no desk is configured. */
  desk: Desk | null;
  /** The time for all desk calls of one handoff together, in milliseconds. */
  deskTimeoutMs: number;
  clock: Clock;
  log: Log;
  telemetry: Telemetry;
  /** Generates a reference for a request created at `now` (milliseconds since the epoch). */
  generateReference(now: number): Reference;
  inFlight: InFlightTracker;
}
