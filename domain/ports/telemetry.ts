/** Spans and metrics: names, durations and outcomes, never content. */
export interface Telemetry {
  /** Runs `work` in a span of its own and counts its duration, by what `outcomeOf` calls its result. */
  withSpan<T>(
    operation: Operation,
    work: () => Promise<T>,
    outcomeOf?: (result: T) => string,
  ): Promise<T>;
  /** Names the span of the present HTTP request. */
  nameRoute(method: string, route: string): void;
}

export type Operation = "desk.handoff" | "kv.commit" | "kv.read";

/** Tells nobody anything, at no cost. */
export const noopTelemetry: Telemetry = {
  withSpan: (_operation, work) => work(),
  nameRoute: () => {},
};
