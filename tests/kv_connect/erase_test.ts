/** Erasing while services share a KV Connect server, which allows ten checks per commit. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { AUTH_SECRET, requestsPath } from "../support/constants.ts";
import { contents } from "../support/kv_file.ts";
import type { Service } from "../support/service_process.ts";
import { runErase } from "../support/erase.ts";
import { readContents, torn } from "../support/kv_contents.ts";
import { mintToken } from "../demo/token.ts";
import { report, startFleet } from "./fleet.ts";
import { Load } from "./load.ts";

const ADA = "ada51b7c0d";

Deno.test("erasing a person while two services are busy deletes all of it, and nothing else", async () => {
  await using fleet = await startFleet(2, { RATE_LIMIT_PER_MINUTE: "100000" });
  const { services, server } = fleet;
  const before = await Promise.all(Array.from({ length: 150 }, (_, i) => submit(services, i)));
  assertEquals(new Set(before), new Set([201]));

  await using load = new Load(services);
  // In flight when the erasure starts.
  const beside = Promise.all(Array.from({ length: 60 }, (_, i) => submit(services, i)));
  const flags = ["--tenant", "acme", "--actor", ADA, "--yes"];
  const started = performance.now();
  const { code, stdout, stderr } = await runErase(server.url, flags, server.env);
  const ms = Math.round(performance.now() - started);
  assertEquals([code, stderr, new Set(await beside)], [0, "", new Set([201])]);
  assertStringIncludes(stdout, "  210  support requests");
  const sent = await load.stop();
  const acknowledged = sent.filter(({ response }) => response.status === 201);
  report({ "erased ms": ms, "acknowledged meanwhile": acknowledged.length });

  using kv = await Deno.openKv(server.url);
  const remaining = [...await contents(kv)].filter((entry) => entry.join().includes(ADA));
  assertEquals(remaining, []);
  const stored = await readContents(server.url);
  assertEquals(torn(stored), []);
  const lost = acknowledged.filter(({ response }) => !stored.requests.has(response.body.reference));
  assertEquals(lost, [], "nobody else's request was deleted");
  const page = await services[0]!.call<{ erasures: { event: string }[] }>(
    "/v1/tenants/acme/audit-events",
  );
  assertEquals(page.body.erasures.map(({ event }) => event), ["actor.erased"]);
});

/** Submits as the person, through one service or the other, and returns the status. */
async function submit(services: Service[], number: number): Promise<number> {
  const token = await mintToken(AUTH_SECRET, { sub: ADA, name: `Name ${ADA}` });
  const service = services[number % services.length]!;
  const response = await fetch(service.url + requestsPath(`r-${number % 7}`), {
    method: "POST",
    headers: { "Authorization": `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify({ summary: `Summary ${ADA}`, contact: { name: ADA } }),
  });
  await response.body?.cancel();
  return response.status;
}
