import { assertEquals } from "@std/assert";
import { TENANT } from "../../support/constants.ts";
import { openService } from "../../support/service.ts";
import { assertProblem } from "../assert_problem.ts";

const Origin = "https://app.example";
const env = { CORS_ORIGINS: `https://admin.example,${Origin}` };

const STRANGERS = [
  "https://evil.example",
  "https://app.example.evil",
  "https://app.example:8443",
  "http://app.example",
  "https://APP.example",
  "https://app.example/",
  "https://admin.example,https://app.example",
  "null",
  "*",
  "",
];

function corsHeaders({ headers }: Response): [string, string][] {
  return [...headers].filter(([name]) => name.startsWith("access-control-"));
}

const vary = ({ headers }: Response) => headers.get("Vary")?.split(", ").sort();

Deno.test("a preflight from a configured origin allows all headers that its page needs", async () => {
  await using service = await openService({ env });
  const response = await service.call(TENANT, {
    method: "OPTIONS",
    token: null,
    headers: {
      Origin,
      "Access-Control-Request-Method": "POST",
      "Access-Control-Request-Headers":
        "authorization,baggage,content-type,idempotency-key,sentry-trace,traceparent,tracestate",
    },
  });
  assertEquals([response.status, await response.text()], [204, ""]);
  assertEquals(corsHeaders(response), [
    [
      "access-control-allow-headers",
      "Authorization,Content-Type,Idempotency-Key,If-None-Match,X-Request-Id," +
      "traceparent,tracestate,baggage,sentry-trace",
    ],
    ["access-control-allow-methods", "GET,POST"],
    ["access-control-allow-origin", Origin],
    ["access-control-expose-headers", "ETag,Retry-After,X-Request-Id,Idempotent-Replayed"],
    ["access-control-max-age", "600"],
  ]);
  assertEquals(vary(response), ["Access-Control-Request-Headers", "Origin"]);
});

Deno.test("a page of a configured origin can read every response, including errors", async () => {
  const kv = await Deno.openKv(":memory:");
  await using service = await openService({ env, kv });
  const headers = { Origin };
  const responses = [
    await service.call(`${TENANT}/latest`, { headers }),
    await service.call(TENANT, { headers, json: { summary: "Help" } }),
    await service.call(TENANT, { headers, json: {} }),
    await service.call(`${TENANT}/latest`, { headers, token: null }),
    await service.call("/nowhere", { headers }),
    await service.call(TENANT, { headers, method: "DELETE" }),
  ];
  kv.close();
  responses.push(await service.call(`${TENANT}/latest`, { headers }));
  assertEquals(responses.map(({ status }) => status), [200, 201, 422, 401, 404, 405, 503]);
  for (const response of responses) {
    assertEquals(corsHeaders(response), [
      ["access-control-allow-origin", Origin],
      ["access-control-expose-headers", "ETag,Retry-After,X-Request-Id,Idempotent-Replayed"],
    ]);
    assertEquals(vary(response)?.includes("Origin"), true);
  }
  assertEquals(vary(responses[0]!), ["Authorization", "Origin"]);
});

Deno.test("an app in a web view may call from an origin with its own scheme", async () => {
  const origins = ["capacitor://localhost", "tauri://localhost"];
  await using service = await openService({ env: { CORS_ORIGINS: origins.join(",") } });
  for (const origin of [...origins, "capacitor://evil", "ionic://localhost"]) {
    const response = await service.call(`${TENANT}/latest`, { headers: { Origin: origin } });
    const allowed = response.headers.get("Access-Control-Allow-Origin");
    assertEquals(allowed, origins.includes(origin) ? origin : null);
  }
});

for (const origin of [...STRANGERS, undefined]) {
  Deno.test(`the responses to ${origin ?? "no origin"} reveal nothing about other origins`, async () => {
    await using service = await openService({ env });
    const headers: HeadersInit = origin === undefined ? {} : { Origin: origin };
    const preflight = { ...headers, "Access-Control-Request-Method": "POST" };
    const responses = [
      await service.call(`${TENANT}/latest`, { headers }),
      await service.call(TENANT, { headers, json: { summary: "Help" } }),
      await service.call("/nowhere", { headers }),
      await service.call(TENANT, { method: "OPTIONS", headers: preflight }),
      await service.call("/nowhere", { method: "OPTIONS", headers: preflight }),
    ];
    assertEquals(responses.map(({ status }) => status), [200, 201, 404, 405, 404]);
    for (const response of responses) {
      assertEquals(corsHeaders(response), []);
      // Otherwise a cache would serve this response to a page of a configured origin.
      assertEquals(vary(response)?.includes("Origin"), true);
    }
    await assertProblem(responses[3]!, 405, "method-not-allowed");
  });
}

Deno.test("no cross-origin page may call if no origin is configured", async () => {
  await using service = await openService();
  for (const method of ["GET", "OPTIONS"]) {
    const response = await service.call("/livez", { method, headers: { Origin } });
    assertEquals(corsHeaders(response), []);
    assertEquals(vary(response), undefined);
  }
});
