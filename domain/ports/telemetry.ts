import type { Phase } from "./desk.ts";

/**
 * The attributes of a span and its metric. Each value is one of a small fixed set: never an id, a URL
 * or content.
 */
export interface SpanOutcome {
  /** `ok`, `conflict`, `created`, the reason of a failure, … */
  outcome: string;
  /** The phase in which a handoff failed. */
  phase?: Phase;
}

/** How a handoff's wait for admission to the desk ended. */
export type AdmissionOutcome = "admitted" | "timed_out" | "circuit_open";

/** Records spans and metrics: names, durations and outcomes, never content. */
export interface Telemetry {
  /**
   * Runs `work` in a new span and records its duration with `outcomeOf(result)`, by default the
   * outcome `ok`. If `work` rejects, records the outcome `error` and rejects with the same error.
   */
  withSpan<T>(
    operation: Operation,
    work: () => Promise<T>,
    outcomeOf?: (result: T) => SpanOutcome,
  ): Promise<T>;
  /** Names the span of the current HTTP request, and the route of its metrics. */
  nameRoute(method: string, route: string): void;
  /** Counts an HTTP request that was rejected. `reason` is the one in its log line. */
  requestRejected(reason: string): void;
  /** Records how long a handoff waited for admission to the desk, in milliseconds. */
  admissionEnded(waitedMs: number, outcome: AdmissionOutcome): void;
  /** Records that the circuit of the desk has opened or closed. */
  circuitChanged(state: "open" | "closed"): void;
}

export type Operation = "desk.handoff" | "kv.commit" | "kv.read";

const noop = () => {};

/** Records nothing, at no cost. */
export const noopTelemetry: Telemetry = {
  withSpan: (_operation, work) => work(),
  nameRoute: noop,
  requestRejected: noop,
  admissionEnded: noop,
  circuitChanged: noop,
};
