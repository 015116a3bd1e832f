import { assert, assertEquals, assertGreater } from "@std/assert";
import { temporaryPath } from "./support/kv_file.ts";
import { startService } from "./support/service_process.ts";
import { startFakeDesk } from "./demo/fake_desk.ts";

interface Attribute {
  key: string;
  value: { stringValue?: string };
}

interface Span {
  traceId: string;
  spanId: string;
  parentSpanId: string;
  name: string;
  attributes: Attribute[];
}

interface Metric {
  name: string;
  histogram?: { dataPoints: { attributes: Attribute[]; count: string }[] };
  gauge?: { dataPoints: { asDouble: number }[] };
}

/** An OpenTelemetry collector on loopback, as far as a test needs one. */
function startCollector() {
  const spans: Span[] = [];
  const metrics: Metric[] = [];
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
        for (const scope of scopeMetrics) metrics.push(...scope.metrics);
      }
      received.resolve();
      received = Promise.withResolvers();
      return Response.json({});
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    spans,
    metrics,
    /** Everything that was exported, as it came. */
    text: () => raw,
    async until(isThere: () => boolean): Promise<void> {
      while (!isThere()) await received.promise;
    },
    close: () => server.shutdown(),
  };
}

function attributes({ attributes }: { attributes: Attribute[] }): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue]));
}

Deno.test("telemetry is one trace per request, with spans for KV and the desk and no content", async () => {
  const collector = startCollector();
  const desk = startFakeDesk();
  await using path = await temporaryPath();
  const service = await startService({
    kvPath: path.path,
    env: {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_METRIC_EXPORT_INTERVAL: "100",
      OTEL_BSP_SCHEDULE_DELAY: "100",
      SUPPORT_DESK_URL: desk.url,
      SUPPORT_DESK_TOKEN: desk.token,
      SUPPORT_DESK_QUEUE: desk.queue,
    },
  });
  try {
    const answer = await service.submit({
      summary: "canary-summary",
      description: "canary-description",
      handoff: { mode: "create" },
    });
    assertEquals(answer.body.handoff.status, "created");

    const route = "POST /v1/tenants/:tenantId/support-requests";
    await collector.until(() => collector.spans.some(({ name }) => name === route));
    const root = collector.spans.find(({ name }) => name === route)!;
    const trace = collector.spans.filter(({ traceId }) => traceId === root.traceId);
    const children = (name: string) => trace.filter((span) => span.name === name);
    assertEquals(children("kv.commit").map((span) => attributes(span).outcome), ["ok", "ok"]);
    assertGreater(children("kv.read").length, 0);
    const [handoff] = children("desk.handoff");
    assertEquals(attributes(handoff!).outcome, "created");
    assertEquals(handoff!.parentSpanId, root.spanId);
    assert(
      trace.some(({ name, parentSpanId }) => name === "POST" && parentSpanId === handoff!.spanId),
      "the desk call is below the handoff",
    );

    const handoffs = () =>
      collector.metrics.filter(({ name }) => name === "deskhand.operation.duration")
        .flatMap(({ histogram }) => histogram?.dataPoints ?? [])
        .map(attributes)
        .filter(({ operation, outcome }) => operation === "desk.handoff" && outcome === "created");
    await collector.until(() => handoffs().length > 0);
    desk.behave("hang");
    const hanging = service.submit({ handoff: { mode: "create" } });
    const ages = () =>
      collector.metrics.filter(({ name }) => name === "deskhand.handoffs.oldest_age")
        .flatMap(({ gauge }) => gauge?.dataPoints ?? [])
        .map(({ asDouble }) => asDouble);
    await collector.until(() => ages().some((seconds) => seconds > 0));
    assert(ages().every((seconds) => 0 <= seconds && seconds < 10), ages().join(" "));
    desk.behave("normal");
    await desk.close();
    assertEquals((await hanging).body.handoff.status, "failed");
    assert(!collector.text().includes("canary-"), "what was typed was exported");
    assert(!collector.text().includes(desk.token), "the desk's token was exported");
  } finally {
    await service[Symbol.asyncDispose]();
    await Promise.all([desk.close(), collector.close()]);
  }
});
