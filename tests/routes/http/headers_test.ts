import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { type Context, Hono } from "hono";
import type { Env } from "../../../routes/http/env.ts";
import { addDefaultHeaders, assignRequestId } from "../../../routes/http/headers.ts";
import { problem } from "../../../routes/http/problems.ts";
import { mintToken } from "../../demo/token.ts";
import { AUTH_SECRET, TENANT } from "../../support/constants.ts";
import { Peer } from "../../support/raw_client.ts";
import { openService } from "../../support/service.ts";

/** Asserts that a response has every default header, and returns its request ID. */
function assertDefaultHeaders({ headers }: Response): string {
  assertEquals(headers.get("Cache-Control"), "no-store");
  assertEquals(
    headers.get("Content-Security-Policy"),
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
  );
  assertEquals(headers.get("Cross-Origin-Opener-Policy"), "same-origin");
  assertEquals(headers.get("Cross-Origin-Resource-Policy"), "same-origin");
  assertEquals(headers.get("Referrer-Policy"), "no-referrer");
  assertEquals(headers.get("X-Content-Type-Options"), "nosniff");
  assertEquals(headers.get("X-Frame-Options"), "DENY");
  assertEquals(headers.get("X-Permitted-Cross-Domain-Policies"), "none");
  assertMatch(headers.get("Strict-Transport-Security")!, /max-age=\d{7,}/);
  const id = headers.get("X-Request-Id");
  assert(id !== null && /^[\w-]{1,255}$/.test(id));
  return id;
}

Deno.test("every response has the default headers, and its own request ID", async () => {
  const kv = await Deno.openKv(":memory:");
  await using service = await openService({ kv });
  const responses = [
    await service.call("/livez"),
    await service.call("/nowhere"),
    await service.call(TENANT, { method: "PUT" }),
    await service.call(TENANT, { json: { summary: "Help" } }),
    await service.call(TENANT, { json: {} }),
    await service.call(TENANT, { token: null, json: {} }),
    await service.call("/v1/tenants/acme/audit-events"),
    await service.call("/v1/tenants/theirs/audit-events"),
    await service.call("/docs/"),
  ];
  kv.close();
  responses.push(await service.call(`${TENANT}/latest`), await service.call("/readyz"));
  const ids = new Set(responses.map(assertDefaultHeaders));
  assertEquals(ids.size, responses.length);
});

/** What middleware or a handler may do with a response. */
const REPLACEMENTS: Record<string, (c: Context<Env>) => Response | void> = {
  "returns its own": () => new Response("own"),
  "replaces it": (c) => {
    c.res = new Response("replaced");
  },
  "discards it and makes another": (c) => {
    c.res = undefined;
    c.res = new Response("another");
  },
  "adds a header to it": (c) => c.header("Vary", "Origin", { append: true }),
  "discards it and makes another problem": (c) => {
    const { res } = c;
    c.res = undefined;
    c.res = new Response(res.body, { status: res.status });
  },
  "throws": () => {
    throw new Error("a bug");
  },
};

for (const [what, replace] of Object.entries(REPLACEMENTS)) {
  Deno.test(`no response loses the default headers to middleware that ${what}`, async () => {
    for (const path of ["/text", "/problem", "/nowhere"]) {
      const app = new Hono<Env>()
        .use(async (c, next) => {
          assignRequestId(c);
          await next();
          addDefaultHeaders(c);
        })
        .use(async (c, next) => {
          await next();
          return replace(c) as Response;
        })
        .get("/text", (c) => c.text("Help"))
        .get("/problem", (c) => problem(c, "not-found", "Check the path"));
      app.onError((_, c) => c.text("failed", 500));
      assertDefaultHeaders(await app.request(path));
    }
  });
}

Deno.test("a handler's own caching and policy override the default headers", async () => {
  await using service = await openService();
  const { headers } = await service.call("/docs");
  assertMatch(headers.get("Content-Security-Policy")!, /script-src 'self'/);
  assertMatch(headers.get("Cache-Control")!, /^public, max-age=\d+$/);
});

Deno.test("a client may choose the request ID, if it is a short word", async () => {
  await using service = await openService();
  const sent = async (id: string) =>
    (await service.call("/livez", { headers: { "X-Request-Id": id } })).headers.get("X-Request-Id");
  for (const id of ["a", "3f2a-B_7=", "r".repeat(255)]) assertEquals(await sent(id), id);
  for (const id of ["", "r".repeat(256), "a b", `"a"`, "<b>", "a\tb", "é", "a,b", "{}"]) {
    const received = await sent(id);
    assertNotEquals(received, id);
    assert(received !== null && /^[\w-]{1,255}$/.test(received));
  }
});

Deno.test("every head is longer than 512 bytes, so that its body leaves in the same packet", async () => {
  await using service = await openService();
  const token = await mintToken(AUTH_SECRET, {});
  const body = JSON.stringify({ summary: "Help" });
  // The shortest request ID.
  const fields = `Host: x\r\nX-Request-Id: a\r\nAuthorization: Bearer ${token}\r\n`;
  const requests = [
    `POST ${TENANT} HTTP/1.1\r\n${fields}Content-Type: application/json\r\n` +
    `Content-Length: ${body.length}\r\n\r\n${body}`,
    `GET ${TENANT}/latest HTTP/1.1\r\n${fields}\r\n`,
    `GET /nowhere HTTP/1.1\r\n${fields}\r\n`,
    `GET /livez HTTP/1.1\r\n${fields}\r\n`,
  ];
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => service.app.fetch(request),
  );
  using peer = await Peer.connect(`http://127.0.0.1:${server.addr.port}`);
  for (const request of requests) {
    await peer.write(request);
    const { head } = await peer.response();
    assert(head.length > 512, `${head.length} bytes:\n${head}`);
  }
});
