import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { MAX_BODY_BYTES } from "../../routes/http/json_body.ts";
import { mintToken } from "../demo/token.ts";
import { AUTH_SECRET, TENANT } from "../support/constants.ts";
import { type Service, startService } from "../support/service_process.ts";
import { waitFor } from "../support/wait_for.ts";
import { temporaryPath } from "../support/kv_file.ts";
import { type Nginx, type NginxOptions, startNginx } from "../support/nginx.ts";
import { crowd } from "./clients.ts";

const ORIGIN = "https://app.example";

async function open(options: Partial<NginxOptions> = {}) {
  const file = await temporaryPath();
  const service = await startService({ kvPath: file.path });
  const nginx = await startNginx({ upstream: service.url, ...options });
  return {
    service,
    nginx,
    token: await mintToken(AUTH_SECRET),
    async [Symbol.asyncDispose]() {
      await nginx[Symbol.asyncDispose]();
      await service.kill();
      await file[Symbol.asyncDispose]();
    },
  };
}

/** A server in Deskhand's place, which returns what it was sent. */
function startEcho() {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    ({ url, headers }) => Response.json({ url, headers: [...headers] }),
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** Asserts that a response is a problem that nginx itself made, and returns its `type`. */
async function assertOwnProblem(response: Response, status: number): Promise<string> {
  assertEquals(response.status, status);
  assertEquals(response.headers.get("Content-Type"), "application/problem+json");
  assertEquals(response.headers.get("Cache-Control"), "no-store");
  assertEquals(response.headers.get("X-Content-Type-Options"), "nosniff");
  const { type, title, detail, requestId, stored, ...others } = await response.json();
  assertEquals(others, { status });
  assertEquals(stored, [502, 504].includes(status) ? "unknown" : "no");
  assertEquals(requestId, response.headers.get("X-Request-Id"));
  assertMatch(requestId, /^[\w=-]{1,255}$/);
  assert(title.length > 0 && detail.length > 0);
  const retryAfter = response.headers.get("Retry-After");
  assertEquals(retryAfter !== null, status === 429 || status >= 500);
  return type;
}

/** A submission whose body has exactly this many bytes. */
function bodyOf(bytes: number): string {
  const json = JSON.stringify({ summary: "Help", unknown: "" });
  return json.replace(`""`, `"${"x".repeat(bytes - json.length)}"`);
}

function submit(nginx: Nginx, token: string, body: BodyInit): Promise<Response> {
  return fetch(nginx.url + TENANT, {
    method: "POST",
    headers: {
      "Authorization": `Bearer ${token}`,
      "Content-Type": "application/json",
      "Origin": ORIGIN,
    },
    body,
  });
}

Deno.test("nginx: the largest body reaches Deskhand, and a larger one is a 413 that says so", async () => {
  await using stage = await open();
  const { nginx, token } = stage;
  const largest = await submit(nginx, token, bodyOf(MAX_BODY_BYTES));
  assertEquals(largest.status, 422);
  assertMatch(await largest.text(), /#\/unknown/);

  const body = bodyOf(MAX_BODY_BYTES + 1);
  for (const sent of [body, new Blob([body]).stream()]) {
    const rejected = await submit(nginx, token, sent);
    assertEquals(rejected.headers.get("Access-Control-Allow-Origin"), ORIGIN);
    assertEquals(await assertOwnProblem(rejected, 413), "/problems/body-too-large");
  }
  const stranger = await fetch(nginx.url + TENANT, {
    method: "POST",
    headers: { "Origin": "https://evil.example" },
    body,
  });
  assertEquals(stranger.headers.get("Access-Control-Allow-Origin"), null);
  await assertOwnProblem(stranger, 413);
});

Deno.test("nginx: a token of 16 KiB reaches Deskhand, and a longer header is a 431", async () => {
  await using stage = await open({ hasTls: true });
  const { nginx } = stage;
  // By HTTP/2 nginx ends the connection instead.
  using client = Deno.createHttpClient({ caCerts: [nginx.certificate!], http2: false });
  const call = (length: number) =>
    fetch(`${nginx.url}${TENANT}/latest`, {
      client,
      headers: { "Authorization": `Bearer ${"x".repeat(length)}` },
    });
  const longest = await call(16 * 1024);
  assertEquals(longest.status, 401);
  assertEquals((await longest.json()).type, "/problems/unauthenticated");
  assertEquals(await assertOwnProblem(await call(32 * 1024), 431), "about:blank");
});

Deno.test("nginx: unknown methods and a malformed header are problems, and go no further", async () => {
  await using stage = await open({ hasTls: true });
  const { nginx } = stage;
  for (const method of ["TRACE", "MX", "GETS", "PROPFIND"]) {
    const response = await raw(nginx, `${method} /livez HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    assertMatch(response, /^HTTP\/1\.1 405 [^]+"\/problems\/method-not-allowed"/);
    // Deskhand's own problem names the methods that the path has.
    assertMatch(response, /"detail":"Use a method of the API"/);
  }
  const malformed = await raw(
    nginx,
    "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
  );
  assertMatch(malformed, /^HTTP\/1\.1 400 [^]+application\/problem\+json[^]+"about:blank"/);
});

Deno.test("nginx: clients cannot request its error locations", async () => {
  await using stage = await open();
  const { nginx } = stage;
  const page = await fetch(`${nginx.url}/.problem/502`);
  assertEquals(await assertOwnProblem(page, 404), "/problems/not-found");
});

Deno.test("nginx: a Deskhand that is down is a 502, and one that hangs a 504", async () => {
  await using stage = await open({
    edits: [
      ["proxy_read_timeout 20s", "proxy_read_timeout 1s"],
      [
        `map "" $public_url {\n    default "";`,
        `map "" $public_url {\n    default "https://a.example";`,
      ],
    ],
  });
  const { service, nginx, token } = stage;
  service.child.kill("SIGSTOP");
  const hung = await submit(nginx, token, bodyOf(100));
  assertEquals(await assertOwnProblem(hung, 504), "about:blank");
  service.child.kill("SIGCONT");
  await waitFor("nginx responds", async () => await statusOf(`${nginx.url}/livez`) === 200);
  await service.kill();
  const down = await submit(nginx, token, bodyOf(100));
  assertEquals(down.headers.get("Access-Control-Allow-Origin"), ORIGIN);
  assertEquals(await assertOwnProblem(down, 502), "about:blank");
  const large = await submit(nginx, token, bodyOf(MAX_BODY_BYTES + 1));
  const type = await assertOwnProblem(large, 413);
  assertEquals(type, "https://a.example/problems/body-too-large");
});

Deno.test("nginx: another host name gets no response, and http is redirected", async () => {
  await using stage = await open();
  const { nginx } = stage;
  for (const host of ["evil.example", "localhost.evil.example", "127.0.0.1"]) {
    const request = `GET /livez HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    assertEquals(await raw(nginx, request), "");
    assertEquals(await raw({ port: nginx.plainPort, certificate: null }, request), "");
  }
  const redirect = await fetch(`${nginx.plainUrl}/docs?x=1`, { redirect: "manual" });
  assertEquals(redirect.status, 308);
  assertEquals(redirect.headers.get("Location"), `https://localhost:${nginx.port}/docs?x=1`);
  await redirect.body?.cancel();
});

Deno.test("nginx: TLS and HTTP/2 for its own name, and no handshake for another", async () => {
  await using stage = await open({ hasTls: true });
  const { nginx, token } = stage;
  using client = Deno.createHttpClient({ caCerts: [nginx.certificate!] });
  const response = await fetch(nginx.url + TENANT, {
    client,
    method: "POST",
    headers: { "Authorization": `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify({ summary: "Help" }),
  });
  assertEquals(response.status, 201);
  await response.body?.cancel();
  const tls = await Deno.connectTls({
    hostname: "localhost",
    port: nginx.port,
    caCerts: [nginx.certificate!],
    alpnProtocols: ["h2"],
  });
  assertEquals((await tls.handshake()).alpnProtocol, "h2");
  tls.close();
  // By its address a client names no host: there is no certificate for it.
  await assertRejects(() => fetch(`https://127.0.0.1:${nginx.port}/livez`, { client }));
});

Deno.test("nginx: a path reaches Deskhand unchanged, and no client chooses its own address", async () => {
  await using echo = startEcho();
  await using nginx = await startNginx({ upstream: echo.url });
  const path = "/v1/tenants/a%2Fb//runs/%20@x+~=:/support-requests?q=%2F";
  const response = await fetch(nginx.url + path, {
    headers: {
      "X-Forwarded-For": "203.0.113.9",
      "X-Forwarded-Proto": "gopher",
      "Forwarded": "for=203.0.113.9",
      "Proxy": "http://evil.example",
      "X-Request-Id": "from-the-client",
    },
  });
  const { url, headers } = await response.json();
  assertEquals(url, `http://localhost${path}`);
  const sent = new Headers(headers);
  assertEquals(sent.get("X-Forwarded-For"), "127.0.0.1");
  assertEquals(sent.get("X-Forwarded-Proto"), "http");
  assertEquals([sent.get("Forwarded"), sent.get("Proxy")], [null, null]);
  assertEquals(sent.get("X-Request-Id"), "from-the-client");
  const other = await fetch(nginx.url, { headers: { "X-Request-Id": `"}<script>` } });
  assertMatch(new Headers((await other.json()).headers).get("X-Request-Id")!, /^[0-9a-f]{32}$/);
});

Deno.test("nginx: more requests than the rate of one address are 429, and then served again", async () => {
  await using stage = await open();
  const { nginx } = stage;
  const responses = await Promise.all(
    Array.from({ length: 300 }, () => fetch(`${nginx.url}/livez`)),
  );
  const limited = responses.filter(({ status }) => status === 429);
  assert(limited.length >= 100, `${limited.length} are limited`);
  for (const response of responses) {
    if (response.status === 200) await response.body?.cancel();
    else assertEquals(await assertOwnProblem(response, 429), "/problems/rate-limited");
  }
  await waitFor("nginx responds", async () => await statusOf(`${nginx.url}/livez`) === 200);
});

Deno.test("nginx: clients that do not read a large response leave Deskhand free", async () => {
  await using stage = await open();
  const { service, nginx } = stage;
  const connections = () => [...Deno.readDirSync(`/proc/${service.child.pid}/fd`)].length;
  const before = connections();
  const request = "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n";
  await using _ = await crowdThatDoesNotRead(nginx.port, 60, request);
  await waitFor("Deskhand has responded", () => responsesOf(service), (count) => count >= 60);
  // nginx holds the responses; of its connections to Deskhand only idle ones remain.
  await waitFor("connections are idle", () => connections() - before, (grown) => grown < 50);
  assertEquals(await statusOf(`${nginx.url}/livez`), 200);
});

Deno.test("nginx: a body that arrives too slowly is ended, and never reaches Deskhand", async () => {
  await using stage = await open({
    edits: [["client_body_timeout 10s", "client_body_timeout 1s"]],
  });
  const { service, nginx } = stage;
  const head = `POST ${TENANT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{`;
  await using held = await crowd(nginx.port, 50, head);
  assert(await held.allClosed(8_000), `only ${held.closed()} are closed`);
  assertEquals(await responsesOf(service), 0);
});

/** How many responses Deskhand has logged. */
function responsesOf({ output }: Service): Promise<number> {
  return Promise.resolve(output.lines.filter(({ status }) => typeof status === "number").length);
}

async function statusOf(url: string): Promise<number> {
  const response = await fetch(url);
  await response.body?.cancel();
  return response.status;
}

/** Sends bytes over a connection of its own, and returns what comes until it is idle or closed. */
async function raw(
  { port, certificate }: Pick<Nginx, "port" | "certificate">,
  bytes: string,
): Promise<string> {
  const connection = certificate === null
    ? await Deno.connect({ hostname: "localhost", port })
    : await Deno.connectTls({ hostname: "localhost", port, caCerts: [certificate] });
  const timeout = setTimeout(() => connection.close(), 1000);
  let text = "";
  try {
    await connection.write(new TextEncoder().encode(bytes));
    const buffer = new Uint8Array(8192);
    for (let read; (read = await connection.read(buffer)) !== null;) {
      text += new TextDecoder().decode(buffer.subarray(0, read));
    }
  } catch {
    // Reset by nginx, or idle for a second.
  } finally {
    clearTimeout(timeout);
    try {
      connection.close();
    } catch {
      // Closed by the timeout.
    }
  }
  return text;
}

async function crowdThatDoesNotRead(port: number, count: number, request: string) {
  const connections: Deno.TcpConn[] = [];
  for (let i = 0; i < count; i++) {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    connections.push(connection);
    await connection.write(new TextEncoder().encode(request));
  }
  return {
    [Symbol.asyncDispose]() {
      for (const connection of connections) connection.close();
      return Promise.resolve();
    },
  };
}
