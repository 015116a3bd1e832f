import { metrics, SpanStatusCode, trace } from "@opentelemetry/api";

/** Seconds: from a commit on a local disk to a desk that uses up its time. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * Spans and metrics by OpenTelemetry, which Deno itself exports where `OTEL_DENO` is true.
 *
 * @param elapsed Milliseconds since some start.
 */
export function openTelemetry(elapsed: () => number) {
  const tracer = trace.getTracer("deskhand");
  const meter = metrics.getMeter("deskhand");
  const durations = meter.createHistogram("deskhand.operation.duration", {
    unit: "s",
    description: "Of handoffs, KV commits and KV reads, by operation and outcome",
    advice: { explicitBucketBoundaries: BUCKETS },
  });

  function withSpan<T>(
    operation: string,
    work: () => Promise<T>,
    outcomeOf: (result: T) => string = () => "ok",
  ): Promise<T> {
    return tracer.startActiveSpan(operation, async (span) => {
      const started = elapsed();
      let outcome = "error";
      try {
        const result = await work();
        outcome = outcomeOf(result);
        return result;
      } catch (error) {
        // Not the exception, whose message could quote anything.
        span.setStatus({ code: SpanStatusCode.ERROR });
        throw error;
      } finally {
        span.setAttribute("outcome", outcome);
        span.end();
        durations.record((elapsed() - started) / 1000, { operation, outcome });
      }
    });
  }

  function nameRoute(method: string, route: string): void {
    const span = trace.getActiveSpan();
    span?.updateName(`${method} ${route}`);
    span?.setAttribute("http.route", route);
  }

  /** Reports for how many milliseconds the oldest of what this process does has been under way. */
  function watchOldest(ageMs: () => number): void {
    meter.createObservableGauge("deskhand.handoffs.oldest_age", {
      unit: "s",
      description: "For how long the oldest handoff of this process has been under way",
    }).addCallback((result) => result.observe(ageMs() / 1000));
  }

  return { withSpan, nameRoute, watchOldest };
}
