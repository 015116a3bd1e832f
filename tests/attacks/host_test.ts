/** A request is routed by the path in its request line, whatever else it contains. */
import { assertEquals, assertMatch } from "@std/assert";
import { connect } from "node:http2";
import { VERSION } from "../../config/version.ts";
import { temporaryPath } from "../support/kv_file.ts";
import { startService } from "../support/service_process.ts";
import { within } from "../support/wait_for.ts";
import { Peer } from "../support/raw_client.ts";

/** Sends one request; resolves with the status and the body. */
async function send(url: string, head: string) {
  using peer = await Peer.connect(url);
  await peer.write(`${head}\r\nConnection: close\r\n\r\n`);
  const { status, body } = await peer.response();
  return { status, body };
}

const BAD_HOSTS = [
  "x/v1/tenants/acme/support-requests/latest?",
  "x/v1/tenants/acme/support-requests/latest#",
  "x/",
  "/",
  "//x",
  "http://x",
  "x?",
  "x#",
  "x@y",
  "user:password@y",
  "a b",
  "a,b",
  "x\\y",
  "\\",
  "",
  "x\u0001",
  "x\u007f",
  "\u00e9.example",
  "x%2fy",
  "x%00",
  "<x>",
  "[::1",
  "[x]",
  "x:99999",
  "x:abc",
  "x:80:90",
  "1.2.3.400",
];

const GOOD_HOSTS = [
  "deskhand.example",
  "DESKHAND.example:8000",
  "a_service",
  "localhost",
  "127.0.0.1:8000",
  "[::1]:8000",
  "x:",
  "deskhand.example ",
];

Deno.test("an invalid Host is 400, and never part of the path", async () => {
  await using file = await temporaryPath();
  await using service = await startService({ kvPath: file.path });
  for (const host of BAD_HOSTS) {
    const { status, body } = await send(service.url, `GET /livez HTTP/1.1\r\nHost: ${host}`);
    assertEquals(status, 400, JSON.stringify(host));
    // Deno rejects what is no valid header itself, without a body.
    if (body !== "") assertEquals(JSON.parse(body).type, "/problems/malformed-request");
  }
  for (const host of GOOD_HOSTS) {
    const { status, body } = await send(service.url, `GET /livez HTTP/1.1\r\nHost: ${host}`);
    assertEquals(
      [status, body],
      [200, `{"status":"live","version":"${VERSION}"}`],
      JSON.stringify(host),
    );
  }
});

/** Many containers have no IPv6. */
function hasIpv6(): boolean {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}

Deno.test("a missing or a repeated Host is 400, on every address", async () => {
  for (const HOST of ["127.0.0.1", "0.0.0.0", ...hasIpv6() ? ["::1"] : []]) {
    await using file = await temporaryPath();
    await using service = await startService({ kvPath: file.path, env: { HOST } });
    const { port } = new URL(service.url);
    const url = `http://${HOST === "::1" ? "[::1]" : "127.0.0.1"}:${port}`;
    for (
      const head of [
        "GET /livez HTTP/1.1",
        "GET /livez HTTP/1.0",
        "GET /livez HTTP/1.1\r\nHost: a\r\nHost: b",
        "GET /livez HTTP/1.1\r\nHost: a\r\nHost: a",
      ]
    ) assertEquals((await send(url, head)).status, 400, `${HOST}: ${head}`);
  }
});

Deno.test("any form of request target is routed by its own path alone", async () => {
  await using file = await temporaryPath();
  await using service = await startService({ kvPath: file.path });
  for (
    const [target, status] of [
      ["http://other.example/livez", 200],
      ["http://other.example/nowhere", 404],
      ["http://user@other.example/livez", 400],
      ["http://x?/livez", 400],
      ["http://x#/livez", 400],
      ["http://x", 200],
      ["/livez#x", 400],
      ["/nowhere#/livez", 400],
      ["/livez?x#y", 400],
      ["/\\livez", 404],
      ["\\livez", 400],
      ["//livez", 404],
      ["/x/../livez", 404],
      ["/%2e%2e/livez", 404],
      ["/livez\u0001", 400],
      ["livez", 400],
      ["*", 400],
    ] as const
  ) {
    const found = await send(service.url, `GET ${target} HTTP/1.1\r\nHost: x`);
    assertEquals(found.status, status, target);
  }
  const { status } = await send(service.url, "CONNECT x:443 HTTP/1.1\r\nHost: x");
  assertEquals(status, 400);
});

/** The status of a request over HTTP/2, or 0 if the server rejects the stream. */
function overHttp2(url: string, headers: Record<string, string>): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const session = connect(url);
  session.on("error", () => resolve(0));
  const stream = session.request(headers);
  stream.on("error", () => resolve(0));
  stream.on("response", (response) => resolve(Number(response[":status"])));
  stream.resume();
  stream.end();
  return within("the stream has a response", promise).finally(() => session.destroy());
}

Deno.test("over HTTP/2 the authority follows the rules of Host", async () => {
  await using file = await temporaryPath();
  await using service = await startService({ kvPath: file.path });
  const status = (headers: Record<string, string>) =>
    overHttp2(service.url, { ":path": "/livez", ...headers });
  assertEquals(await status({ ":authority": "deskhand.example" }), 200);
  assertEquals(await status({ ":authority": "[::1]:8000" }), 200);
  for (const authority of ["user@x", "x/v1/tenants?", "x#", "a b"]) {
    assertMatch(String(await status({ ":authority": authority })), /^(0|400)$/, authority);
  }
  for (const host of ["x/v1/tenants/acme?", "x@y"]) {
    const found = await status({ ":authority": "deskhand.example", host });
    assertMatch(String(found), /^(0|400)$/, host);
  }
});
