import { assertEquals } from "@std/assert";
import { VERSION } from "../../config/version.ts";
import { openService } from "../support/service.ts";
import { assertProblem } from "./assert_problem.ts";

Deno.test("livez and readyz are 200 without a token while the store works", async () => {
  await using service = await openService();
  const bodies = [
    ["/livez", { status: "live", version: VERSION }],
    ["/readyz", { status: "ready" }],
  ] as const;
  for (const [path, body] of bodies) {
    for (const token of [null, "rubbish"]) {
      const response = await service.call(path, { token });
      assertEquals([response.status, await response.json()], [200, body]);
    }
  }
});

Deno.test("readyz is 503 if the store fails, and livez stays 200", async () => {
  const kv = await Deno.openKv(":memory:");
  await using service = await openService({ kv });
  kv.close();
  const response = await service.call("/readyz", { token: null });
  await assertProblem(response, 503, "store-unavailable");
  assertEquals(response.headers.get("Retry-After"), "5");
  assertEquals((await service.call("/livez", { token: null })).status, 200);
});

Deno.test("a thousand calls of readyz cause one write, or none after a submission", async () => {
  await using service = await openService();
  const probe = async () => (await service.kv.get(["ready"])).versionstamp;
  const call = async () => {
    const response = await service.call("/readyz", { token: null });
    await response.body?.cancel();
    return response.status;
  };
  const submit = () =>
    service.call("/v1/tenants/acme/support-requests", { json: { summary: "Printer on fire" } });
  assertEquals([(await submit()).status, await call(), await probe()], [201, 200, null]);
  await using idle = await openService({ kv: service.kv });
  const first = await idle.call("/readyz");
  const written = await probe();
  const statuses = await Promise.all(Array.from({ length: 500 }, call));
  for (let i = 0; i < 500; i++) statuses.push((await idle.call("/readyz")).status);
  assertEquals([first.status, ...new Set(statuses)], [200, 200]);
  assertEquals([written === null, await probe()], [false, written]);
});
