import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { AUTH_SECRET, requestsPath } from "./support/constants.ts";
import { startKvServer } from "./support/fake_kv_server.ts";
import { respondWith, startRawServer } from "./support/raw_server.ts";
import { type Service, startService } from "./support/service_process.ts";
import { runTask } from "./support/task.ts";
import { startFakeDesk } from "./demo/fake_desk.ts";
import { ALL_SCOPES, mintToken } from "./demo/token.ts";
import { openDeskhand } from "./smoke/operator.ts";

const ISSUER = { AUTH_ISSUER: "https://id.example", AUTH_AUDIENCE: "deskhand" };

/** The address by which a host, as a URL has it, reaches a server on 127.0.0.1. */
const HOSTS: [host: string, allowed: string][] = [
  ["127.0.0.1", ""],
  ["localhost", ""],
  ["0.0.0.0", "0.0.0.0"],
  ["[::ffff:127.0.0.1]", "[::ffff:7f00:1]"],
];

/** An issuer of tokens on every address of this machine. */
async function startIssuer() {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  const keys = [{ ...await exportJWK(publicKey), kid: "k-1", alg: "ES256", use: "sig" }];
  let fetches = 0;
  const options = { hostname: "0.0.0.0", port: 0, onListen: () => {} };
  const server = Deno.serve(options, () => {
    fetches++;
    return Response.json({ keys });
  });
  return {
    port: server.addr.port,
    fetches: () => fetches,
    sign: () =>
      new SignJWT({ tenants: ["acme"], scope: ALL_SCOPES, iss: ISSUER.AUTH_ISSUER })
        .setSubject("u-1").setAudience(ISSUER.AUTH_AUDIENCE).setExpirationTime("1 hour")
        .setProtectedHeader({ alg: "ES256", kid: "k-1" }).sign(privateKey),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

async function submit(service: Service, token: string) {
  const response = await fetch(service.url + requestsPath(), {
    method: "POST",
    headers: { "Authorization": `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify({ summary: "Printer on fire", handoff: { mode: "create" } }),
  });
  return { status: response.status, body: await response.json() };
}

/** A proxy that responds to every request itself. */
const startProxy = () => startRawServer(respondWith(200, '{"keys":[]}'));

/** Deno itself asks for newer versions by https, now and then. */
const QUIET = { DENO_NO_UPDATE_CHECK: "1" };
const FILE = { prefix: "deskhand_proxy_" };

for (const [host, allowed] of HOSTS) {
  Deno.test(`no proxy sees what goes by plain http to ${host}: desk and key set`, async () => {
    await using proxy = startProxy();
    await using issuer = await startIssuer();
    const desk = startFakeDesk();
    const folder = await Deno.makeTempDir(FILE);
    const at = (url: string) => `http://${host}:${new URL(url).port}`;
    try {
      for (const name of ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]) {
        await using service = await startService({
          kvPath: `${folder}/${name}.kv`,
          env: {
            ...ISSUER,
            AUTH_SECRET: "",
            AUTH_JWKS_URL: `http://${host}:${issuer.port}/jwks`,
            SUPPORT_DESK_URL: at(desk.url),
            SUPPORT_DESK_TOKEN: desk.token,
            SUPPORT_DESK_QUEUE: desk.queue,
            ALLOW_HTTP_HOSTS: allowed,
            NO_PROXY: "other.example",
            ...QUIET,
            [name]: `http://127.0.0.1:${proxy.port}`,
          },
        });
        const { status, body } = await submit(service, await issuer.sign());
        assertEquals([status, body.handoff?.status], [201, "created"], name);
      }
      assertEquals([proxy.requests, issuer.fetches(), desk.tickets.length], [[], 4, 4]);
    } finally {
      await desk.close();
      await Deno.remove(folder, { recursive: true });
    }
  });
}

Deno.test("no proxy of any form sees what goes to this machine, whatever NO_PROXY says", async () => {
  await using proxy = startProxy();
  const desk = startFakeDesk();
  const folder = await Deno.makeTempDir(FILE);
  const address = `127.0.0.1:${proxy.port}`;
  try {
    for (
      const [i, env] of ([
        { HTTP_PROXY: address },
        { HTTP_PROXY: `socks5://${address}` },
        { ALL_PROXY: `socks5h://${address}` },
        { HTTP_PROXY: `http://user:password@${address}`, NO_PROXY: "*" },
        { HTTP_PROXY: `http://${address}`, no_proxy: "127.0.0.1:1, .example" },
        { HTTP_PROXY: `http://${address}`, NO_PROXY: "" },
      ] as Record<string, string>[]).entries()
    ) {
      await using service = await startService({
        kvPath: `${folder}/${i}.kv`,
        env: {
          SUPPORT_DESK_URL: desk.url,
          SUPPORT_DESK_TOKEN: desk.token,
          SUPPORT_DESK_QUEUE: desk.queue,
          ...QUIET,
          ...env,
        },
      });
      const { body } = await submit(service, await mintToken(AUTH_SECRET));
      assertEquals(body.handoff?.status, "created", JSON.stringify(env));
    }
    assertEquals(proxy.requests, []);
  } finally {
    await desk.close();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("https still goes through the proxy, as a tunnel that the proxy cannot read", async () => {
  await using proxy = startProxy();
  const folder = await Deno.makeTempDir(FILE);
  try {
    await using service = await startService({
      kvPath: `${folder}/requests.kv`,
      env: {
        ...QUIET,
        SUPPORT_DESK_URL: "https://desk.example",
        SUPPORT_DESK_TOKEN: "secret",
        SUPPORT_DESK_QUEUE: "Support",
        ALL_PROXY: `http://127.0.0.1:${proxy.port}`,
      },
    });
    const { body } = await submit(service, await mintToken(AUTH_SECRET));
    assertEquals(body.handoff?.status, "failed");
    assertEquals(new Set(proxy.requests), new Set(["CONNECT desk.example:443 HTTP/1.1"]));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

for (const host of ["127.0.0.1", "localhost", "0.0.0.0"]) {
  Deno.test(`no proxy sees what goes to a KV Connect server at ${host}`, async () => {
    await using proxy = startProxy();
    await using kv = startKvServer();
    await using service = await startService({
      kvPath: kv.url.replace("127.0.0.1", host),
      env: {
        ...kv.env,
        ...QUIET,
        ALLOW_HTTP_HOSTS: host === "0.0.0.0" ? host : "",
        ALL_PROXY: `http://127.0.0.1:${proxy.port}`,
      },
    });
    await Promise.race([kv.called, service.submit()]);
    assertEquals((await service.submit()).status, 201);
    assertEquals(proxy.requests, []);
  });
}

Deno.test("no proxy sees the token of the smoke test, nor the desk's", async () => {
  await using proxy = startProxy();
  await using deps = await openDeskhand();
  const env = { ...deps.atDesk, ...QUIET, HTTP_PROXY: `http://127.0.0.1:${proxy.port}` };
  const { code, stdout } = await deps.smoke(["--handoff", "create"], {}, env);
  assertEquals([code, proxy.requests], [0, []], stdout);
});

/** Runs the health check of the image, as the Dockerfile has it. */
async function checkHealth(env: Record<string, string>): Promise<number> {
  const root = new URL("../", import.meta.url);
  const dockerfile = await Deno.readTextFile(new URL("Dockerfile", root));
  const command = /^HEALTHCHECK .*\\\n *CMD (\[[^\]]*\])/m.exec(dockerfile)![1]!;
  const [, ...args] = JSON.parse(command.replaceAll("\\\n", ""));
  const { code } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: root,
    env: { ...QUIET, ...env },
    stdout: "null",
    stderr: "null",
  }).output();
  return code;
}

Deno.test("the health check of the image goes to the service and not to a proxy", async () => {
  await using proxy = startProxy();
  const folder = await Deno.makeTempDir(FILE);
  try {
    await using service = await startService({ kvPath: `${folder}/requests.kv` });
    const { port } = new URL(service.url);
    const address = `http://127.0.0.1:${proxy.port}`;
    const proxies: Record<string, string>[] = [
      { HTTP_PROXY: address },
      { http_proxy: address },
      { ALL_PROXY: address },
      { HTTP_PROXY: address, NO_PROXY: "internal.example", no_proxy: "internal.example" },
    ];
    const checkAll = () => Promise.all(proxies.map((env) => checkHealth({ ...env, PORT: port })));
    assertEquals(await checkAll(), [0, 0, 0, 0]);
    await service.kill();
    assertEquals(await checkAll(), [1, 1, 1, 1]);
    assertEquals(proxy.requests, []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a host that plain http may not reach stops the start, and the sentence says why", async () => {
  const env = { AUTH_SECRET, KV_PATH: "./deskhand.kv", SUPPORT_DESK_URL: "http://desk.internal" };
  const { code, stderr } = await runTask("config", [], {
    ...env,
    SUPPORT_DESK_TOKEN: "t",
    SUPPORT_DESK_QUEUE: "Support",
  });
  assertEquals(code, 1);
  assertMatch(stderr, /SUPPORT_DESK_URL: must use https/);
  assertStringIncludes(stderr, "ALLOW_HTTP_HOSTS");
});
