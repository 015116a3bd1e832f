import { assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { requestKey } from "../../../kv/keys.ts";
import { ACME, RUN, TENANT } from "../../support/constants.ts";
import { openService } from "../../support/service.ts";
import { assertProblem } from "../assert_problem.ts";

for (
  const [path, allow] of [
    [TENANT, "POST"],
    [RUN, "POST"],
    [`${TENANT}/latest`, "GET, HEAD"],
    [`${RUN}/latest`, "GET, HEAD"],
    ["/v1/tenants/acme/audit-events", "GET, HEAD"],
    ["/livez", "GET, HEAD"],
    ["/readyz", "GET, HEAD"],
  ] as const
) {
  Deno.test(`${path} rejects other methods and names its own`, async () => {
    await using service = await openService();
    for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"]) {
      if (allow.includes(method)) continue;
      const response = await service.call(path, { method });
      const { detail } = await assertProblem(response, 405, "method-not-allowed");
      assertEquals(response.headers.get("Allow"), allow);
      assertMatch(detail, new RegExp(allow.split(", ")[0]!));
    }
  });
}

for (const path of [`${TENANT}/latest`, "/v1/tenants/acme/audit-events", "/livez", "/readyz"]) {
  Deno.test(`${path} responds to HEAD like to GET, without the body`, async () => {
    await using service = await openService();
    const headers = { "X-Request-Id": "r-1" };
    const get = await service.call(path, { headers });
    const head = await service.call(path, { method: "HEAD", headers });
    assertEquals([head.status, await head.text()], [200, ""]);
    assertEquals([...head.headers], [...get.headers]);
    await get.body?.cancel();
  });
}

for (
  const path of [
    "//",
    "/nowhere",
    "/v1",
    "/V1/tenants/acme/support-requests",
    "/v1/tenants/acme/Support-Requests",
    `${TENANT}/`,
    `${TENANT}/latest/`,
    `/${TENANT}`,
    "/v1/tenants//support-requests",
    "/v1//tenants/acme/support-requests",
    "/v1/tenants/acme%2Fsupport-requests",
    "/v1/tenants/acme/runs//support-requests/latest",
    "/v1/tenants/acme/runs/a/b/support-requests/latest",
    "/v1/tenants/acme/runs/../../x",
    "/v1/tenants/%2e%2e/livez",
    "/livez%00",
    "/%00malformed",
    "/livez%",
    "/%",
    "/%E0%A4%A",
    "/livez;x",
    `/${"a".repeat(100_000)}`,
    `/${"%41/".repeat(10_000)}`,
  ]
) {
  Deno.test(`${path.slice(0, 60)} is 404`, async () => {
    await using service = await openService();
    for (const method of ["GET", "POST", "HEAD"]) {
      const response = await service.call(path, { method });
      if (method === "HEAD") assertEquals(response.status, 404);
      else await assertProblem(response, 404, "not-found");
    }
  });
}

Deno.test("a long or malformed query does no harm", async () => {
  await using service = await openService();
  for (
    const query of [
      "a".repeat(100_000),
      "%",
      "%00=%00&%ff",
      "__proto__=1&constructor=2",
      "limit[]=1&limit[x]=2",
      "&&&===",
      "x=1&".repeat(20_000),
    ]
  ) {
    const response = await service.call(`/v1/tenants/acme/audit-events?${query}`);
    assertEquals(response.status, 200, query.slice(0, 40));
  }
});

Deno.test("if the store fails, each response is 503 and says what to do", async () => {
  const kv = await Deno.openKv(":memory:");
  await using service = await openService({ kv });
  kv.close();
  for (const path of [`${TENANT}/latest`, `${RUN}/latest`, "/v1/tenants/acme/audit-events"]) {
    const response = await service.call(path);
    const { detail, stored } = await assertProblem(response, 503, "store-unavailable");
    assertEquals(response.headers.get("Retry-After"), "5");
    assertEquals(response.headers.get("Cache-Control"), "no-store");
    assertEquals(response.headers.get("ETag"), null);
    assertNotMatch(detail, /stored/);
    assertEquals(stored, undefined);
  }
  for (const path of [`${TENANT}/latest/resume`, `${RUN}/latest/resume`]) {
    const resume = await service.call(path, { method: "POST" });
    const { detail, stored } = await assertProblem(resume, 503, "store-unavailable");
    assertEquals([detail, stored], ["Try again in a few seconds", undefined]);
  }
  const json = { summary: "Help" };
  const keyed = await service.call(TENANT, { json, headers: { "Idempotency-Key": "k-1" } });
  assertEquals(keyed.headers.get("Retry-After"), "5");
  const { detail, stored } = await assertProblem(keyed, 503, "store-unavailable");
  assertEquals(stored, "unknown");
  assertMatch(detail, /may have been stored.*same Idempotency-Key/);
  const keyless = await service.call(TENANT, { json });
  assertMatch(
    (await assertProblem(keyless, 503, "store-unavailable")).detail,
    /may have been stored.*Check the latest request/,
  );
});

Deno.test("if the store fails before the first write, the submission is known not to be stored", async () => {
  const kv = await Deno.openKv(":memory:");
  // Several processes count in the store, before the body is read.
  const env = {
    RATE_LIMIT_PER_MINUTE: "30",
    KV_PATH: "http://127.0.0.1:1",
    DENO_KV_ACCESS_TOKEN: "t",
  };
  await using service = await openService({ kv, env });
  kv.close();
  const response = await service.call(TENANT, { json: { summary: "Help" } });
  const { detail, stored } = await assertProblem(response, 503, "store-unavailable");
  assertEquals([detail, stored], ["Nothing was stored. Try again in a few seconds", "no"]);
});

Deno.test("a ticket that is not one of the desk, or a key used otherwise, stores nothing", async () => {
  await using service = await openService();
  const headers = { "Idempotency-Key": "k-1" };
  await service.call(TENANT, { json: { summary: "Help" }, headers });
  const other = await service.call(TENANT, { json: { summary: "Other" }, headers });
  assertEquals((await assertProblem(other, 422, "idempotency-key-reused")).stored, "no");
  const json = { summary: "Help", handoff: { mode: "link", ticket: "42" } };
  const response = await service.call(TENANT, { json });
  assertEquals((await assertProblem(response, 422, "validation")).stored, "no");
});

Deno.test("only a rejected submission says that nothing was stored", async () => {
  await using service = await openService({ env: { RATE_LIMIT_PER_MINUTE: "1" } });
  for (
    const [path, expected] of [
      [TENANT, /^Nothing was stored\. Try again in \d+ s$/],
      [`${TENANT}/latest/resume`, /^Try again in \d+ s$/],
    ] as const
  ) {
    const token = { sub: path };
    await service.call(path, { method: "POST", token });
    const response = await service.call(path, { method: "POST", token });
    assertMatch((await assertProblem(response, 429, "rate-limited")).detail, expected);
  }
});

Deno.test("an invalid submission is 422 while the store fails, rate limit included", async () => {
  const kv = await Deno.openKv(":memory:");
  // On a local file the rate limit is in memory. Several processes count in the store, and 503 wins.
  await using service = await openService({ kv, env: { RATE_LIMIT_PER_MINUTE: "30" } });
  kv.close();
  await assertProblem(await service.call(TENANT, { json: {} }), 422, "validation");
});

Deno.test("an unexpected error is 500, and reveals only the request ID", async () => {
  await using service = await openService();
  const rubbish = { summary: "a secret of another program" };
  await service.kv.set(requestKey(ACME, 1), rubbish);
  const response = await service.call(`${TENANT}/latest`, { headers: { "X-Request-Id": "r-500" } });
  const problem = await assertProblem(response, 500, "internal");
  assertEquals(problem, {
    type: "/problems/internal",
    title: "Internal server error",
    status: 500,
    detail: "Report the requestId to the operator of this service",
    requestId: "r-500",
  });
  const errors = service.lines.filter(({ level }) => level === "error");
  assertEquals(errors.map(({ requestId }) => requestId), ["r-500"]);
  assertNotMatch(JSON.stringify(service.lines), /a secret/);
});
