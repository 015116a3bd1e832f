import { createHash, createHmac } from "node:crypto";
import { assert, assertEquals, assertMatch, assertNotEquals, assertNotMatch } from "@std/assert";
import { mintToken } from "../../demo/token.ts";
import { FakeClock } from "../../support/clock.ts";
import { AUTH_SECRET } from "../../support/constants.ts";
import { type Call, openService } from "../../support/service.ts";

const CREATE = "/v1/tenants/:tenantId/support-requests";
const RUN_LATEST = "/v1/tenants/:tenantId/runs/:runId/support-requests/latest";

Deno.test("the access log has one line per response, with its route and no path or body", async () => {
  const kv = await Deno.openKv(":memory:");
  await using service = await openService({ kv, env: { CORS_ORIGINS: "https://app.example" } });
  const json = { summary: "private summary", description: "private text" };
  const calls: [path: string, call: Call, route: string, status: number][] = [
    ["/v1/tenants/acme/support-requests?private=1", { json }, CREATE, 201],
    ["/v1/tenants/acme/support-requests", { json: { private: 1 } }, CREATE, 422],
    ["/v1/tenants/acme/support-requests", { json, token: "private" }, CREATE, 401],
    ["/v1/tenants/acme/support-requests", { method: "X-PRIVATE" }, CREATE, 405],
    ["/v1/tenants/acme/support-requests", { method: "X".repeat(5000) }, CREATE, 405],
    ["/v1/tenants/acme/runs/private%20/support-requests/latest", {}, RUN_LATEST, 422],
    ["/v1/tenants/acme/runs/r-1/support-requests/latest", {}, RUN_LATEST, 200],
    ["/private", {}, "/*", 404],
    ["/livez", { method: "HEAD" }, "/livez", 200],
    ["/panel/0123456789abcdef.js", {}, "/panel/:script", 404],
    [
      "/private",
      { method: "OPTIONS", headers: { Origin: "https://app.example" } },
      "/*",
      204,
    ],
  ];
  for (const [path, call, route, status] of calls) {
    service.lines.length = 0;
    const response = await service.call(path, call);
    const lines = service.lines.filter(({ event }) => event === "request_completed");
    assertEquals(lines.length, 1);
    const [line] = lines;
    assertEquals([line?.route, line?.status, response.status], [route, status, status]);
    assertEquals(line?.requestId, response.headers.get("X-Request-Id"));
    assert(JSON.stringify(line).length < 400);
    assertNotMatch(JSON.stringify(service.lines), /private/i);
  }
  kv.close();
  service.lines.length = 0;
  const failed = await service.call("/v1/tenants/acme/support-requests", { json });
  const { requestId } = await failed.json();
  const ids = service.lines.map((line) => [line.level, line.requestId]);
  assertEquals(ids, [["error", requestId], ["info", requestId]]);
});

Deno.test("the access log has the tenant and the duration of a request", async () => {
  await using service = await openService();
  await service.call("/v1/tenants/acme/audit-events");
  await service.call("/v1/tenants/acme/audit-events", { token: null });
  assertEquals(service.lines.map(({ tenantId }) => tenantId), ["acme", undefined]);
  for (const { ms } of service.lines) assert(Number.isInteger(ms) && ms! >= 0);
});

Deno.test("the duration of a request that waited before it was handled includes the wait", async () => {
  const clock = new FakeClock({ now: "real", timers: "manual" });
  await using service = await openService({ clock });
  const arrivedAt = clock.elapsed();
  clock.advance(1_234);
  await service.app.fetch(new Request("http://127.0.0.1/livez"), { arrivedAt });
  assertEquals(service.lines.map(({ ms }) => ms), [1_234]);
});

/** A token with an invalid signature. */
const sign = (header: object) => `${btoa(JSON.stringify(header)).replaceAll("=", "")}.e30.AAAA`;

Deno.test("the access log says why a token was rejected, and its response does not", async () => {
  await using service = await openService({ env: { AUTH_AUDIENCE: "deskhand" } });
  const audience = { audience: "deskhand" };
  const tokens: [token: Call["token"], reason: string | undefined][] = [
    [null, "no_token"],
    ["rubbish", "malformed_token"],
    ["not a token", "malformed_token"],
    ["x".repeat(16_385), "token_too_long"],
    [sign({ alg: "none" }), "algorithm"],
    [sign({ alg: "RS256" }), "algorithm"],
    [sign({ alg: "HS256", typ: "logout+jwt" }), "token_type"],
    [sign({ alg: "HS256", crit: ["exp"] }), "critical_header"],
    [await mintToken("another secret, of 32 bytes or more", audience), "signature"],
    [{}, "claim_aud"],
    [{ ...audience, lifetime: -60 }, "expired"],
    [{ ...audience, sub: "" }, "claim_sub"],
    [audience, undefined],
  ];
  const bodies = new Set<string>();
  for (const [token, reason] of tokens) {
    service.lines.length = 0;
    const response = await service.call("/v1/tenants/acme/audit-events", { token });
    if (response.status === 401) bodies.add((await response.json()).detail);
    assertEquals([response.status, service.lines[0]?.reason], [reason ? 401 : 200, reason]);
  }
  assertEquals(bodies.size, 3);
});

Deno.test("the access log says why a request was rejected, and for which tenant or origin", async () => {
  const CORS_ORIGINS = "https://app.example";
  await using service = await openService({ env: { CORS_ORIGINS, RATE_LIMIT_PER_MINUTE: "1" } });
  const logged = async (path: string, call: Call = {}) => {
    service.lines.length = 0;
    const { status } = await service.call(path, call);
    const { reason, tenantId, scope, origin } = service.lines.find(({ event }) =>
      event === "request_completed"
    )!;
    const fields = { reason, tenantId, scope, origin };
    return [status, JSON.parse(JSON.stringify(fields))];
  };
  const preflight = (origin: string, method = "POST", headers = "authorization"): Call => ({
    method: "OPTIONS",
    token: null,
    headers: {
      "Origin": origin,
      "Access-Control-Request-Method": method,
      "Access-Control-Request-Headers": headers,
    },
  });
  const path = "/v1/tenants/acme/support-requests";
  const json = { summary: "Help" };
  const acme = { tenantId: "acme" };
  const origin = "https://evil.example";
  for (
    const [call, expected] of [
      [await logged(path, { json }), [201, acme]],
      [await logged(path, { json }), [429, { reason: "rate_limited", ...acme }]],
      [await logged(path, { token: null }), [405, { reason: "method_not_allowed" }]],
      [await logged("/nowhere"), [404, { reason: "not_found" }]],
      [
        await logged("/v1/tenants/theirs/audit-events"),
        [404, { reason: "tenant_not_in_token", tenantId: "theirs" }],
      ],
      [
        await logged(`${path}/latest`, { token: { scope: "audit:read" } }),
        [403, { reason: "scope_missing", ...acme, scope: "support_requests:read" }],
      ],
      [await logged(path, preflight(origin)), [405, { reason: "origin_not_allowed", origin }]],
      [await logged(path, preflight("null")), [405, {
        reason: "origin_not_allowed",
        origin: "null",
      }]],
      [await logged(path, preflight(CORS_ORIGINS)), [204, {}]],
      [
        await logged(path, preflight(CORS_ORIGINS, "DELETE")),
        [204, { reason: "method_not_allowed", origin: CORS_ORIGINS }],
      ],
      [
        await logged(path, preflight(CORS_ORIGINS, "GET", "authorization, x-other")),
        [204, { reason: "header_not_allowed", origin: CORS_ORIGINS }],
      ],
    ] as const
  ) assertEquals(call, [...expected]);
});

Deno.test("the access log has the rejected origin if no origin is configured", async () => {
  await using service = await openService();
  const headers = { "Origin": "https://app.example", "Access-Control-Request-Method": "GET" };
  await service.call("/livez", { method: "OPTIONS", headers });
  const [{ reason, origin } = {}] = service.lines;
  assertEquals([reason, origin], ["origin_not_allowed", "https://app.example"]);
});

Deno.test("a tenant or an origin cannot fill, fake or garble the access log", async () => {
  await using service = await openService();
  const values = [
    "x".repeat(5_000),
    'a\n{"level":"ERROR"}',
    "\u001b[31mred",
    "\u202egnp.exe",
    "a\u2028b",
    "é".repeat(5_000),
  ];
  for (const value of values) {
    service.lines.length = 0;
    await service.call(`/v1/tenants/${encodeURIComponent(value)}/audit-events`);
    const Origin = value.replaceAll(/[^\x20-\xff]/g, "_");
    const headers = { Origin, "Access-Control-Request-Method": "GET" };
    await service.call("/livez", { method: "OPTIONS", headers });
    assertEquals(service.lines.length, 2);
    for (const line of service.lines) {
      assertMatch(JSON.stringify(line), /^[\x20-\x7e]{50,500}$/);
      assertMatch(line.tenantId ?? line.origin!, /^[\x21-\x7e]{1,128}$/);
    }
  }
});

/** Returns the hashes of actors in the lines of the access log. */
async function hashesOf(secret: string, subs: string[]) {
  await using service = await openService({ env: { AUTH_SECRET: secret } });
  for (const sub of subs) {
    const token = await mintToken(secret, { sub, scope: "audit:read" });
    // Also for a cached token, and for a request that is rejected after its token was verified.
    for (const path of ["/v1/tenants/acme/audit-events", "/v1/tenants/theirs/audit-events"]) {
      await service.call(path, { token });
    }
    await service.call("/v1/tenants/acme/support-requests/latest", { token });
  }
  await service.call("/v1/tenants/acme/audit-events", { token: null });
  await service.call("/v1/tenants/acme/audit-events", { token: "rubbish" });
  const lines = service.lines.filter(({ event }) => event === "request_completed");
  assertEquals(lines.slice(-2).map(({ actorHash }) => actorHash), [undefined, undefined]);
  return lines.slice(0, -2).map(({ actorHash }) => actorHash!);
}

Deno.test("the access log has a hash of the actor that needs the secret to compute", async () => {
  const hashes = await hashesOf(AUTH_SECRET, ["u-1", "u-2"]);
  assertEquals(hashes.length, 6);
  assertEquals(new Set(hashes.slice(0, 3)).size, 1);
  assertEquals(new Set(hashes).size, 2);
  for (const hash of hashes) assertMatch(hash, /^[0-9a-f]{16}$/);
  // Instances with the same secret agree; one with another secret differs.
  assertEquals(await hashesOf(AUTH_SECRET, ["u-1"]), hashes.slice(0, 3));
  const [other] = await hashesOf(`${AUTH_SECRET}!`, ["u-1"]);
  assertNotEquals(other, hashes[0]);
  for (const key of ["", AUTH_SECRET]) {
    const digest = createHmac("sha256", key).update("u-1").digest("hex");
    assertNotEquals(digest.slice(0, 16), hashes[0]);
  }
  assertNotEquals(createHash("sha256").update("u-1").digest("hex").slice(0, 16), hashes[0]);
});

Deno.test("a malformed request is logged with a route without control characters", async () => {
  await using service = await openService();
  const request = new Request("http://127.0.0.1/livez", { headers: { "Host": "x/y?" } });
  assertEquals((await service.app.fetch(request)).status, 400);
  assertEquals(service.lines.at(-1)?.route, "/malformed");
});
