/** Records spans and metrics: names, durations and outcomes, never content. */
export interface Telemetry {
  /** Runs `work` in a new span and records its duration, labelled with `outcomeOf(result)`. */
  withSpan<T>(
    operation: Operation,
    work: () => Promise<T>,
    outcomeOf?: (result: T) => string,
  ): Promise<T>;
  /** Sets the name of the current HTTP request's span. */
  nameRoute(method: string, route: string): void;
}

export type Operation = "desk.handoff" | "kv.commit" | "kv.read";

/** Records nothing, at no cost. */
export const noopTelemetry: Telemetry = {
  withSpan: (_operation, work) => work(),
  nameRoute: () => {},
};
