import type { Clock, Desk, Log, Store } from "./ports.ts";
import type { Reference } from "./model/reference.ts";
import type { Telemetry } from "./telemetry.ts";
import type { UnderWay } from "./in_flight.ts";

/** All that the use cases work with, composed once in `main.ts`. */
export interface Deskhand {
  store: Store;
  /** Null where no desk is configured. */
  desk: Desk | null;
  /** Milliseconds that everything sent to the desk for one submission may take together. */
  deskTimeoutMs: number;
  clock: Clock;
  log: Log;
  telemetry: Telemetry;
  mintReference(now: number): Reference;
  underWay: UnderWay;
}
