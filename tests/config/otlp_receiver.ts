/** What a test needs of an OpenTelemetry Collector: receives OTLP over HTTP as JSON. */

interface Attribute {
  key: string;
  value: { stringValue?: string; intValue?: string | number; boolValue?: boolean };
}

export interface Span {
  traceId: string;
  spanId: string;
  parentSpanId: string;
  name: string;
  attributes: Attribute[];
}

interface DataPoint {
  attributes: Attribute[];
  /** Of a histogram. */
  count?: string | number;
  sum?: number;
  asDouble?: number;
  asInt?: string | number;
}

interface ExportedMetric {
  name: string;
  unit?: string;
  histogram?: { dataPoints: DataPoint[] };
  gauge?: { dataPoints: DataPoint[] };
  sum?: { dataPoints: DataPoint[]; isMonotonic?: boolean };
}

/** The latest value of one series. Histograms have `count` and `sum`, others `value`. */
export interface Series {
  name: string;
  unit: string;
  kind: "histogram" | "gauge" | "counter" | "up_down_counter";
  attributes: Record<string, string>;
  value: number;
  sum?: number;
}

export interface OtlpReceiver extends AsyncDisposable {
  url: string;
  /** The environment with which Deno exports to this receiver ten times a second. */
  env: Record<string, string>;
  spans: Span[];
  /** The latest value of each series. */
  series(name: string): Series[];
  allSeries(): Series[];
  /** Everything that was exported, as it was received. */
  text(): string;
  /** Resolves once `isThere` returns true after an export. Rejects after ten seconds. */
  until(isThere: () => boolean): Promise<void>;
}

const MAX_WAIT_MS = 10_000;

export function startOtlpReceiver(): OtlpReceiver {
  const spans: Span[] = [];
  const series = new Map<string, Series>();
  let received = Promise.withResolvers<void>();
  let raw = "";
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const text = await request.text();
      raw += text;
      const body = JSON.parse(text);
      for (const { scopeSpans } of body.resourceSpans ?? []) {
        for (const scope of scopeSpans) spans.push(...scope.spans);
      }
      for (const { scopeMetrics } of body.resourceMetrics ?? []) {
        for (const { metrics } of scopeMetrics) metrics.forEach(record);
      }
      received.resolve();
      received = Promise.withResolvers();
      return Response.json({});
    },
  );

  function record(metric: ExportedMetric): void {
    const { name, unit = "", histogram, gauge, sum } = metric;
    const kind = histogram
      ? "histogram"
      : gauge
      ? "gauge"
      : sum?.isMonotonic
      ? "counter"
      : "up_down_counter";
    for (const point of (histogram ?? gauge ?? sum)?.dataPoints ?? []) {
      const attributes = attributesOf(point);
      const value = Number(point.count ?? point.asDouble ?? point.asInt ?? 0);
      const key = JSON.stringify([name, Object.entries(attributes).sort()]);
      series.set(key, { name, unit, kind, attributes, value, sum: point.sum });
    }
  }

  const url = `http://127.0.0.1:${server.addr.port}`;
  return {
    url,
    env: {
      OTEL_DENO: "true",
      OTEL_SERVICE_NAME: "deskhand",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: url,
      OTEL_METRIC_EXPORT_INTERVAL: "100",
      OTEL_BSP_SCHEDULE_DELAY: "100",
    },
    spans,
    series: (name) => [...series.values()].filter((one) => one.name === name),
    allSeries: () => [...series.values()],
    text: () => raw,
    async until(isThere) {
      const limit = Promise.withResolvers<never>();
      const timer = setTimeout(
        () => limit.reject(new Error(`Not exported within ${MAX_WAIT_MS} ms: ${isThere}`)),
        MAX_WAIT_MS,
      );
      try {
        while (!isThere()) await Promise.race([received.promise, limit.promise]);
      } finally {
        clearTimeout(timer);
      }
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

export function attributesOf({ attributes }: { attributes: Attribute[] }): Record<string, string> {
  return Object.fromEntries(attributes.map(({ key, value }) => {
    return [key, String(value.stringValue ?? value.intValue ?? value.boolValue)];
  }));
}
