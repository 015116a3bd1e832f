import { assert, assertGreater } from "@std/assert";
import { startFakeDesk } from "../../demo/fake_desk.ts";
import { temporaryPath } from "../../support/kv_file.ts";
import { startService } from "../../support/service_process.ts";
import { type OtlpReceiver, startOtlpReceiver } from "../otlp_receiver.ts";
import { readAlerts, readQueries } from "./files.ts";
import { namedMetrics, prometheusName } from "./promql.ts";

/** Labels that the Collector or Prometheus adds. */
const ADDED_LABELS = ["job", "instance", "le"];

/** Returns the label names of each metric that was exported, by its name in Prometheus. */
function exportedLabels(receiver: OtlpReceiver): Map<string, Set<string>> {
  const exported = new Map<string, Set<string>>();
  for (const { name, unit, kind, attributes } of receiver.allSeries()) {
    const base = prometheusName(name, unit, kind === "counter");
    const parts = kind === "histogram" ? ["_bucket", "_count", "_sum"] : [""];
    for (const part of parts) {
      const labels = exported.get(base + part) ?? new Set(ADDED_LABELS);
      for (const key of Object.keys(attributes)) labels.add(key.replaceAll(".", "_"));
      exported.set(base + part, labels);
    }
  }
  return exported;
}

Deno.test("the service exports every metric and label of the alerts and the dashboard", async () => {
  await using receiver = startOtlpReceiver();
  await using file = await temporaryPath();
  const desk = startFakeDesk();
  await using service = await startService({
    kvPath: file.path,
    env: {
      ...receiver.env,
      SUPPORT_DESK_URL: desk.url,
      SUPPORT_DESK_TOKEN: desk.token,
      SUPPORT_DESK_QUEUE: desk.queue,
    },
  });
  const rejected = await fetch(`${service.url}/v1/tenants/acme/support-requests/latest`);
  await rejected.body?.cancel();
  await service.submit({ handoff: { mode: "create" } });
  await desk.close();
  await service.submit({ handoff: { mode: "create" } });
  const complete = ["deskhand.log.events", "deskhand.requests.rejected", "v8js.gc.duration"];
  await receiver.until(() => complete.every((name) => receiver.series(name).length > 0));
  await receiver.until(() => receiver.series("deskhand.handoff.duration").length === 2);

  const exported = exportedLabels(receiver);
  const alerts = (await readAlerts()).map(({ expression }) => expression);
  const named = [...alerts, ...readQueries()].flatMap(namedMetrics);
  assertGreater(named.length, 50);
  for (const { metric, labels } of named) {
    const known = exported.get(metric);
    assert(known !== undefined, `${metric} is not exported`);
    for (const label of labels) assert(known.has(label), `${metric} has no label ${label}`);
  }
});
