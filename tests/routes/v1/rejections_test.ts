import { assertEquals, assertMatch } from "@std/assert";
import { mintToken } from "../../demo/token.ts";
import { FakeClock } from "../../support/clock.ts";
import { AUTH_SECRET, TENANT } from "../../support/constants.ts";
import { type Call, openService } from "../../support/service.ts";
import { assertProblem } from "../assert_problem.ts";

const RUN = "/v1/tenants/acme/runs/not%20a%20run/support-requests";

Deno.test("a request with several faults is rejected for the first in the documented order", async () => {
  const clock = new FakeClock();
  await using service = await openService({ clock, env: { RATE_LIMIT_PER_MINUTE: "6" } });
  for (let i = 0; i < 6; i++) await service.call(TENANT, { json: { summary: "Help" } });

  let token: Call["token"] = "not-a-token";
  let key = "not a key";
  let type = "text/plain";
  let body = `[${"1,".repeat(30_000)}`;
  const outcome = async (path = RUN) => {
    const headers = { "Idempotency-Key": key, "Content-Type": type };
    const response = await service.call(path, { method: "POST", token, headers, body });
    if (response.ok) return response.status;
    const { type: problem } = await response.json();
    return `${response.status} ${problem.replace("/problems/", "")}`;
  };
  assertEquals(await outcome(), "401 unauthenticated");
  token = { tenants: ["other"], scope: "" };
  assertEquals(await outcome(), "404 not-found");
  token = { scope: "support_requests:read audit:read" };
  assertEquals(await outcome(), "403 insufficient-scope");
  token = {};
  assertEquals(await outcome(), "429 rate-limited");
  clock.offset += 60_000;
  assertEquals(await outcome(), "400 invalid-idempotency-key");
  key = "k-1";
  assertEquals(await outcome(), "415 not-json");
  type = "application/json";
  assertEquals(await outcome(), "413 body-too-large");
  body = "[1,";
  assertEquals(await outcome(), "400 malformed-json");
  body = `{"summary":""}`;
  assertEquals(await outcome(), "422 validation");
  body = `{"summary":"Help"}`;
  assertEquals(await outcome(TENANT), 201);
});

Deno.test("the rate limit is per actor and tenant, counts replays, and 429 says how long", async () => {
  const clock = new FakeClock();
  await using service = await openService({ clock, env: { RATE_LIMIT_PER_MINUTE: "2" } });
  const call: Call = { json: { summary: "Help" }, headers: { "Idempotency-Key": "k-1" } };
  assertEquals((await service.call(TENANT, call)).status, 201);
  assertEquals((await service.call(TENANT, call)).status, 201);
  clock.offset = 18_000;
  const rejected = await service.call(TENANT, call);
  await assertProblem(rejected, 429, "rate-limited");
  assertEquals(rejected.headers.get("Retry-After"), "42");
  assertEquals((await service.call(`${TENANT}/latest`)).status, 200);

  const token = { sub: "u-2", tenants: ["acme", "other"] };
  assertEquals((await service.call(TENANT, { ...call, token })).status, 201);
  const other = "/v1/tenants/other/support-requests";
  assertEquals((await service.call(other, { ...call, token: { tenants: ["other"] } })).status, 201);
  clock.offset += 42_000;
  assertEquals((await service.call(TENANT, call)).status, 201);
});

Deno.test("a tenant outside the token gets the same response as one that does not exist", async () => {
  await using service = await openService({ env: { CORS_ORIGINS: "https://app.example" } });
  const theirs = { tenants: ["theirs"] };
  for (const context of ["", "/runs/r-1"]) {
    const path = `/v1/tenants/theirs${context}/support-requests`;
    const response = await service.call(path, { token: theirs, json: { summary: "A secret" } });
    assertEquals(response.status, 201);
  }
  const tag = (await service.call("/v1/tenants/theirs/support-requests/latest", { token: theirs }))
    .headers.get("ETag")!;

  const bearer = await mintToken(AUTH_SECRET, { tenants: ["acme"], scope: "audit:read" });
  const seen = async (tenant: string, path: string, init: RequestInit) => {
    const headers = new Headers(init.headers);
    headers.set("Authorization", `Bearer ${bearer}`);
    headers.set("X-Request-Id", "r-1");
    headers.set("If-None-Match", tag);
    const response = await service.app.request(`/v1/tenants/${tenant}${path}`, {
      ...init,
      headers,
    });
    return { status: response.status, headers: [...response.headers], body: await response.text() };
  };
  const json = { "Content-Type": "application/json", "Idempotency-Key": "k-1" };
  const calls: [string, RequestInit][] = [
    ["/support-requests/latest", {}],
    ["/support-requests/latest", { method: "HEAD" }],
    ["/support-requests/latest", { headers: { Origin: "https://app.example" } }],
    ["/runs/r-1/support-requests/latest", {}],
    ["/runs/-/support-requests/latest", {}],
    ["/audit-events", {}],
    ["/audit-events?limit=0&cursor=x", {}],
    ["/support-requests", { method: "POST", headers: json, body: `{"summary":"Help"}` }],
    ["/support-requests", { method: "POST", headers: json, body: "{" }],
    ["/runs/r-1/support-requests", { method: "POST" }],
    ["/support-requests", { method: "DELETE" }],
  ];
  for (const [path, init] of calls) {
    const foreign = await seen("theirs", path, init);
    for (const tenant of ["missing", "THEIRS", "theirs%00", "theirs%2Fruns", "__proto__"]) {
      assertEquals(await seen(tenant, path, init), foreign, `${init.method} ${path}`);
    }
    assertEquals(foreign.status, init.method === "DELETE" ? 405 : 404);
  }
});

Deno.test("under overload, a valid call is rejected unread, and an invalid one as always", async () => {
  await using service = await openService({ env: { RATE_LIMIT_PER_MINUTE: "1" } });
  const overloaded = { isOverloaded: true };
  async function submit(token: string, path = RUN): Promise<Response> {
    const headers = { Authorization: `Bearer ${token}` };
    // Whoever read the body would reject it with 415.
    const init = { method: "POST", headers, body: "not JSON" };
    return await service.app.request(path, init, overloaded);
  }
  await assertProblem(await submit("not-a-token"), 401, "unauthenticated");
  const others = await mintToken(AUTH_SECRET, { tenants: ["other"] });
  await assertProblem(await submit(others), 404, "not-found");
  const reader = await mintToken(AUTH_SECRET, { scope: "support_requests:read" });
  await assertProblem(await submit(reader), 403, "insufficient-scope");
  const token = await mintToken(AUTH_SECRET);
  const delays = new Set<string | null>();
  for (const path of [RUN, TENANT, `${TENANT}/latest/resume`, TENANT, TENANT]) {
    const response = await submit(token, path);
    delays.add(response.headers.get("Retry-After"));
    await assertProblem(response, 503, "overloaded");
  }
  assertEquals(delays.size, 4, "clients do not return together");
  const headers = { Authorization: `Bearer ${token}` };
  const latest = await service.app.request(`${TENANT}/latest`, { headers }, overloaded);
  assertEquals((await latest.json()).supportRequest, null, "nothing is stored");
  assertEquals((await service.call(TENANT, { json: { summary: "Help" } })).status, 201);
});

for (
  const [method, path, scope] of [
    ["POST", TENANT, "support_requests:create"],
    ["POST", "/v1/tenants/acme/runs/r-1/support-requests", "support_requests:create"],
    ["GET", `${TENANT}/latest`, "support_requests:read"],
    ["GET", "/v1/tenants/acme/runs/r-1/support-requests/latest", "support_requests:read"],
    ["GET", "/v1/tenants/acme/audit-events", "audit:read"],
  ] as const
) {
  Deno.test(`${method} ${path} requires the scope ${scope}`, async () => {
    await using service = await openService();
    const init: Call = method === "POST" ? { json: { summary: "Help" } } : {};
    const allowed = await service.call(path, { ...init, token: { scope } });
    assertEquals(allowed.ok, true);
    const others = "support_requests:create support_requests:read audit:read"
      .split(" ").filter((other) => other !== scope);
    for (
      const insufficient of [others.join(" "), scope.toUpperCase(), `${scope}s`, `x${scope}`, ""]
    ) {
      const response = await service.call(path, { ...init, token: { scope: insufficient } });
      const { detail } = await assertProblem(response, 403, "insufficient-scope");
      assertMatch(detail, new RegExp(scope));
      assertEquals(
        response.headers.get("WWW-Authenticate"),
        `Bearer error="insufficient_scope", scope="${scope}"`,
      );
    }
  });
}
