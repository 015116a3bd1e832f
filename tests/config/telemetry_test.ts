import { assert, assertEquals, assertFalse, assertGreater } from "@std/assert";
import { startFakeDesk } from "../demo/fake_desk.ts";
import { deskEnv } from "../support/constants.ts";
import { temporaryPath } from "../support/kv_file.ts";
import { startService } from "../support/service_process.ts";
import { attributesOf, startOtlpReceiver } from "./otlp_receiver.ts";

/** Starts the service with a fake desk, exporting to a receiver. */
async function openTraced(env: Record<string, string> = {}) {
  const receiver = startOtlpReceiver();
  const desk = startFakeDesk();
  const path = await temporaryPath();
  const start = () =>
    startService({ kvPath: path.path, env: { ...receiver.env, ...deskEnv(desk), ...env } });
  let service = await start();
  return {
    receiver,
    desk,
    get service() {
      return service;
    },
    async restart() {
      await service[Symbol.asyncDispose]();
      service = await start();
    },
    /** Whether a series of the metric has these attributes, and a value of at least `min`. */
    has(name: string, attributes: Record<string, string>, min = 1): boolean {
      return receiver.series(name).some((one) =>
        one.value >= min &&
        Object.entries(attributes).every(([key, value]) => one.attributes[key] === value)
      );
    },
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]();
      await desk.close();
      await receiver[Symbol.asyncDispose]();
      await path[Symbol.asyncDispose]();
    },
  };
}

const SUBMISSION = { handoff: { mode: "create" } };

Deno.test("telemetry has one trace per request, with spans for KV and the desk", async () => {
  await using traced = await openTraced();
  const { receiver, service } = traced;
  assertEquals((await service.submit(SUBMISSION)).body.handoff.status, "created");
  const route = "POST /v1/tenants/:tenantId/support-requests";
  await receiver.until(() => receiver.spans.some(({ name }) => name === route));
  const root = receiver.spans.find(({ name }) => name === route)!;
  const trace = receiver.spans.filter(({ traceId }) => traceId === root.traceId);
  const children = (name: string) => trace.filter((span) => span.name === name);
  const commits = children("kv.commit").map((span) => attributesOf(span)["deskhand.outcome"]);
  assertEquals(commits, ["ok", "ok"]);
  assertGreater(children("kv.read").length, 0);
  const [handoff] = children("desk.handoff");
  assertEquals(attributesOf(handoff!)["deskhand.outcome"], "created");
  assertEquals(handoff!.parentSpanId, root.spanId);
  assert(
    trace.some(({ name, parentSpanId }) => name === "POST" && parentSpanId === handoff!.spanId),
    "the call to the desk is below the handoff",
  );
});

Deno.test("telemetry exports neither content nor secrets, nor what a client chose", async () => {
  await using traced = await openTraced();
  const { receiver, desk, service } = traced;
  await service.submit({ summary: "canary-1", description: "canary-2", ...SUBMISSION });
  for (const path of ["/canary-3", "/v1/tenants/acme/canary-4"]) {
    await (await fetch(service.url + path)).body?.cancel();
  }
  const headers = { Authorization: "Bearer canary-5", Origin: "https://canary-6.example" };
  await (await fetch(`${service.url}/livez`, { method: "CANARY", headers })).body?.cancel();
  await receiver.until(() => traced.has("deskhand.requests.rejected", {}));
  await receiver.until(() => receiver.series("http.server.request.duration").length >= 3);
  for (const { name, attributes } of receiver.allSeries()) {
    // Deno's own HTTP metrics have the method as it was received, and at most 2,000 series.
    const { "http.request.method": _, ...others } = attributes;
    assertFalse(/canary/i.test(JSON.stringify(others)), `${name} ${JSON.stringify(others)}`);
  }
  // Deno's own spans have the URL; nothing else may have what a client chose.
  const text = receiver.text().replaceAll(/"(url\.[a-z]+)","value":\{"stringValue":"[^"]*"\}/g, "");
  assertFalse(/canary-[1256]/.test(text), "content was exported");
  assertFalse(text.includes(desk.token), "the desk's token was exported");
});

Deno.test("telemetry counts handoffs by outcome and by the phase in which they failed", async () => {
  await using traced = await openTraced({ SUPPORT_DESK_TIMEOUT_MS: "300" });
  const { receiver, desk, service } = traced;
  await service.submit(SUBMISSION);
  desk.behave("hang");
  await service.submit(SUBMISSION);
  await desk.close();
  await service.submit(SUBMISSION);
  const metric = "deskhand.handoff.duration";
  await receiver.until(() => receiver.series(metric).length >= 3);
  assert(traced.has(metric, { "deskhand.outcome": "created" }));
  assert(traced.has(metric, { "deskhand.outcome": "desk_timeout", "deskhand.phase": "request" }));
  assert(
    traced.has(metric, { "deskhand.outcome": "desk_unreachable", "deskhand.phase": "connect" }),
  );
  const hung = receiver.series(metric).find(({ attributes }) =>
    attributes["deskhand.outcome"] === "desk_timeout"
  )!;
  assert(hung.sum! >= 0.25 && hung.sum! < 5, `${hung.sum} s`);
});

Deno.test("telemetry shows an open circuit, the wait for admission and what is in flight", async () => {
  await using traced = await openTraced({
    SUPPORT_DESK_TIMEOUT_MS: "1000",
    SUPPORT_DESK_MAX_CONCURRENCY: "2",
  });
  const { receiver, desk, service } = traced;
  const circuit = "deskhand.desk.circuit.open";
  await receiver.until(() => receiver.series(circuit).some(({ value }) => value === 0));
  desk.behave("hang");
  const submissions = Array.from({ length: 7 }, () => service.submit(SUBMISSION));
  await receiver.until(() => traced.has("deskhand.submissions.in_flight", {}, 7));
  await receiver.until(() => traced.has("deskhand.submissions.oldest_age", {}, 0.05));
  await Promise.all(submissions);
  const admissions = "deskhand.handoff.admission.duration";
  await receiver.until(() => traced.has(admissions, { "deskhand.outcome": "timed_out" }, 5));
  assert(traced.has(admissions, { "deskhand.outcome": "admitted" }, 2));
  // Five timeouts in a row open the circuit: two are counted.
  for (let count = 0; count < 4; count++) await service.submit(SUBMISSION);
  await receiver.until(() => traced.has(circuit, {}));
  await receiver.until(() => traced.has(admissions, { "deskhand.outcome": "circuit_open" }));
  const opened = { "deskhand.event": "desk_circuit_opened", "deskhand.level": "error" };
  await receiver.until(() => traced.has("deskhand.log.events", opened));
  await receiver.until(() =>
    receiver.series("deskhand.submissions.in_flight").every(({ value }) => value === 0)
  );
});

Deno.test("telemetry counts KV calls by operation, and HTTP requests by route and status", async () => {
  await using traced = await openTraced();
  const { receiver, service } = traced;
  await service.submit();
  await service.latest();
  const kv = "db.client.operation.duration";
  const kvCall = (operation: string) => ({
    "db.system.name": "deno_kv",
    "db.operation.name": operation,
    "deskhand.outcome": "ok",
  });
  await receiver.until(() => traced.has(kv, kvCall("commit")) && traced.has(kv, kvCall("read")));
  const http = {
    "http.request.method": "POST",
    "http.route": "/v1/tenants/:tenantId/support-requests",
    "http.response.status_code": "201",
  };
  await receiver.until(() => traced.has("http.server.request.duration", http));
});

Deno.test("telemetry counts a commit whose check failed as a conflict", async () => {
  await using traced = await openTraced();
  const { receiver } = traced;
  await traced.service.submit({}, { key: "k-1" });
  // A process looks up a key that it has stored itself, instead of claiming it.
  await traced.restart();
  assertEquals((await traced.service.submit({}, { key: "k-1" })).status, 201);
  const conflict = { "db.operation.name": "commit", "deskhand.outcome": "conflict" };
  await receiver.until(() => traced.has("db.client.operation.duration", conflict));
});

Deno.test("telemetry counts rejected requests by the reason in their log line", async () => {
  await using traced = await openTraced();
  const { receiver, service } = traced;
  const url = `${service.url}/v1/tenants/acme/support-requests/latest`;
  for (const Authorization of ["", "Bearer x", "Bearer e30.e30.e30"]) {
    await (await fetch(url, { headers: { Authorization } })).body?.cancel();
  }
  const metric = "deskhand.requests.rejected";
  await receiver.until(() => receiver.series(metric).length >= 2);
  const logged = service.output.lines.map(({ reason }) => reason).filter((reason) => reason);
  await receiver.until(() =>
    receiver.series(metric).reduce((sum, { value }) => sum + value, 0) === logged.length
  );
  for (const reason of logged) assert(traced.has(metric, { "deskhand.reason": String(reason) }));
});
