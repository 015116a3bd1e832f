import { assert, assertEquals, assertNotMatch } from "@std/assert";
import { mintToken } from "../practice/token.ts";
import { type Call, openService } from "../service.ts";

const CREATE = "/v1/tenants/:tenantId/support-requests";
const RUN_LATEST = "/v1/tenants/:tenantId/runs/:runId/support-requests/latest";

Deno.test("the access log has one line for each answer: its id and route, never the path or body", async () => {
  const kv = await Deno.openKv(":memory:");
  await using service = await openService({ kv, env: { CORS_ORIGINS: "https://app.example" } });
  const json = { summary: "private summary", description: "private text" };
  const calls: [path: string, call: Call, route: string, status: number][] = [
    ["/v1/tenants/acme/support-requests?private=1", { json }, CREATE, 201],
    ["/v1/tenants/acme/support-requests", { json: { private: 1 } }, CREATE, 422],
    ["/v1/tenants/private/support-requests", { json }, CREATE, 404],
    ["/v1/tenants/acme/support-requests", { json, token: "private" }, CREATE, 401],
    ["/v1/tenants/acme/support-requests", { method: "X-PRIVATE" }, CREATE, 405],
    ["/v1/tenants/acme/support-requests", { method: "X".repeat(5000) }, CREATE, 405],
    ["/v1/tenants/acme/runs/private%20/support-requests/latest", {}, RUN_LATEST, 422],
    ["/v1/tenants/acme/runs/r-1/support-requests/latest", {}, RUN_LATEST, 200],
    ["/private", {}, "/*", 404],
    ["/livez", { method: "HEAD" }, "/livez", 200],
    [
      "/private",
      { method: "OPTIONS", headers: { Origin: "https://app.example" } },
      "/*",
      204,
    ],
  ];
  for (const [path, call, route, status] of calls) {
    service.lines.length = 0;
    const answer = await service.call(path, call);
    const lines = service.lines.filter(({ message }) => message === "Answered");
    assertEquals(lines.length, 1);
    const [line] = lines;
    assertEquals([line?.route, line?.status, answer.status], [route, status, status]);
    assertEquals(line?.requestId, answer.headers.get("X-Request-Id"));
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

Deno.test("the access log names the tenant once the token has shown it, and how long it took", async () => {
  await using service = await openService();
  await service.call("/v1/tenants/acme/audit-events");
  await service.call("/v1/tenants/theirs/audit-events");
  assertEquals(service.lines.map(({ tenantId }) => tenantId), ["acme", undefined]);
  for (const { ms } of service.lines) assert(Number.isInteger(ms) && ms! >= 0);
});

Deno.test("the access log says why a token was refused, and its answer does not", async () => {
  await using service = await openService({ env: { AUTH_AUDIENCE: "deskhand" } });
  const audience = { audience: "deskhand" };
  const tokens: [token: Call["token"], reason: string | undefined][] = [
    [null, "no token"],
    ["rubbish", "not a token"],
    [await mintToken("another secret, of 32 bytes or more", audience), "signature"],
    [{}, "claim aud"],
    [{ ...audience, lifetime: -60 }, "expired"],
    [{ ...audience, sub: "" }, "claim sub"],
    [audience, undefined],
  ];
  const bodies = new Set<string>();
  for (const [token, reason] of tokens) {
    service.lines.length = 0;
    const answer = await service.call("/v1/tenants/acme/audit-events", { token });
    if (answer.status === 401) bodies.add((await answer.json()).detail);
    assertEquals([answer.status, service.lines[0]?.refusal], [reason ? 401 : 200, reason]);
  }
  assertEquals(bodies.size, 3);
});
