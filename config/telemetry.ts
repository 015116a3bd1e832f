import { type Attributes, metrics, SpanStatusCode, trace } from "@opentelemetry/api";
import type { ConsoleLog } from "./log.ts";

/** In seconds, from a commit on a local disk to a desk that uses up its five seconds. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** See the port `domain/ports/telemetry.ts`, which this implements without importing it. */
interface SpanOutcome {
  outcome: string;
  phase?: string;
}

/** What the process has in flight at the moment of an export. */
export interface InFlight {
  /** How many submissions and resumes are in flight. */
  count: number;
  /** The age of the oldest, in milliseconds; 0 if there is none. */
  oldestAgeMs: number;
}

/** What {@linkcode openTelemetry} returns: the port, and what only `main.ts` calls. */
export interface OpenTelemetry {
  withSpan<T>(
    operation: string,
    work: () => Promise<T>,
    outcomeOf?: (result: T) => SpanOutcome,
  ): Promise<T>;
  nameRoute(method: string, route: string): void;
  requestRejected(reason: string): void;
  admissionEnded(waitedMs: number, outcome: string): void;
  circuitChanged(state: "open" | "closed"): void;
  /** Reports what `read` returns at each export. */
  watchInFlight(read: () => InFlight): void;
  /** Returns a log that also counts the lines of the levels `warn` and `error`. */
  counted(log: ConsoleLog): ConsoleLog;
}

/**
 * Records spans and metrics with OpenTelemetry, which Deno exports if `OTEL_DENO` is true. Metrics are
 * named by OpenTelemetry's semantic conventions if these have a name, otherwise `deskhand.*`. Deno
 * itself adds `http.server.*` and `v8js.*`. config/deploy/monitoring/README.md lists all of them.
 *
 * @param elapsed Milliseconds since an arbitrary start.
 */
export function openTelemetry(elapsed: () => number): OpenTelemetry {
  const tracer = trace.getTracer("deskhand");
  const instruments = createInstruments();

  function withSpan<T>(
    operation: string,
    work: () => Promise<T>,
    outcomeOf: (result: T) => SpanOutcome = () => ({ outcome: "ok" }),
  ): Promise<T> {
    return tracer.startActiveSpan(operation, async (span) => {
      const started = elapsed();
      let result: SpanOutcome = { outcome: "error" };
      try {
        const value = await work();
        result = outcomeOf(value);
        return value;
      } catch (error) {
        // Without the exception, whose message may quote anything.
        span.setStatus({ code: SpanStatusCode.ERROR });
        throw error;
      } finally {
        const attributes = toAttributes(result);
        span.setAttributes(attributes);
        span.end();
        instruments.recordDuration(operation, (elapsed() - started) / 1000, attributes);
      }
    });
  }

  function nameRoute(method: string, route: string): void {
    const span = trace.getActiveSpan();
    span?.updateName(`${method} ${route}`);
    span?.setAttribute("http.route", route);
  }

  const { recordDuration: _, ...others } = instruments;
  return { withSpan, nameRoute, ...others };
}

function createInstruments() {
  const meter = metrics.getMeter("deskhand");
  const seconds = (name: string, description: string) =>
    meter.createHistogram(name, {
      unit: "s",
      description,
      advice: { explicitBucketBoundaries: BUCKETS },
    });
  const handoffs = seconds(
    "deskhand.handoff.duration",
    "Time for the desk, with the wait for admission",
  );
  const admissions = seconds(
    "deskhand.handoff.admission.duration",
    "Wait for admission to the desk",
  );
  const kvOperations = seconds("db.client.operation.duration", "Duration of KV operations");
  const rejections = meter.createCounter("deskhand.requests.rejected", {
    unit: "{request}",
    description: "HTTP requests that were rejected, by the reason in their log line",
  });
  const events = meter.createCounter("deskhand.log.events", {
    unit: "{event}",
    description: "Log lines of the levels WARNING and ERROR",
  });
  let isOpen = false;
  meter.createObservableGauge("deskhand.desk.circuit.open", {
    description: "1 while the circuit rejects handoffs because the desk hangs, otherwise 0",
  }).addCallback((result) => result.observe(isOpen ? 1 : 0));

  function watchInFlight(read: () => InFlight): void {
    meter.createObservableGauge("deskhand.submissions.in_flight", {
      unit: "{submission}",
      description: "Submissions and resumes in flight",
    }).addCallback((result) => result.observe(read().count));
    meter.createObservableGauge("deskhand.submissions.oldest_age", {
      unit: "s",
      description: "Age of the oldest submission or resume in flight, or 0",
    }).addCallback((result) => result.observe(read().oldestAgeMs / 1000));
  }

  function counted(log: ConsoleLog): ConsoleLog {
    const counting = (level: "warn" | "error"): ConsoleLog["warn"] => (event, message, fields) => {
      events.add(1, { "deskhand.event": event, "deskhand.level": level });
      log[level](event, message, fields);
    };
    return { ...log, warn: counting("warn"), error: counting("error") };
  }

  return {
    recordDuration(operation: string, duration: number, attributes: Attributes): void {
      if (operation === "desk.handoff") handoffs.record(duration, attributes);
      else {
        kvOperations.record(duration, {
          "db.system.name": "deno_kv",
          "db.operation.name": operation.replace("kv.", ""),
          ...attributes,
        });
      }
    },
    requestRejected: (reason: string) => rejections.add(1, { "deskhand.reason": reason }),
    admissionEnded: (waitedMs: number, outcome: string) =>
      admissions.record(waitedMs / 1000, toAttributes({ outcome })),
    circuitChanged: (state: "open" | "closed") => void (isOpen = state === "open"),
    watchInFlight,
    counted,
  };
}

function toAttributes({ outcome, phase }: SpanOutcome): Attributes {
  return {
    "deskhand.outcome": outcome,
    ...phase !== undefined && { "deskhand.phase": phase },
  };
}
