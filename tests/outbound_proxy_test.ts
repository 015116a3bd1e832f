import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { AUTH_SECRET, deskEnv, requestsPath } from "./support/constants.ts";
import { startKvServer } from "./support/fake_kv_server.ts";
import { temporaryPath } from "./support/kv_file.ts";
import { respondWith, startRawServer } from "./support/raw_server.ts";
import { type Service, startService } from "./support/service_process.ts";
import { startIssuer } from "./support/issuer.ts";
import { command, complete, ROOT } from "./support/process.ts";
import { runTask } from "./support/task.ts";
import { startFakeDesk } from "./demo/fake_desk.ts";
import { mintToken } from "./demo/token.ts";

/** The host in a URL by which a client reaches a server on 127.0.0.1. */
const HOSTS: [host: string, allowed: string][] = [
  ["127.0.0.1", ""],
  ["localhost", ""],
  ["0.0.0.0", "0.0.0.0"],
  ["[::ffff:127.0.0.1]", "[::ffff:7f00:1]"],
];

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

/** Without it, Deno itself looks for newer versions by https now and then. */
const QUIET = { DENO_NO_UPDATE_CHECK: "1" };

for (const [host, allowed] of HOSTS) {
  Deno.test(`no proxy sees what goes by plain http to ${host}: desk and key set`, async () => {
    await using proxy = startProxy();
    await using issuer = startIssuer({ hostname: "0.0.0.0" });
    const { sign } = await issuer.addKey("k-1");
    const desk = startFakeDesk();
    const at = (url: string) => `http://${host}:${new URL(url).port}`;
    try {
      for (const name of ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]) {
        await using file = await temporaryPath();
        await using service = await startService({
          kvPath: file.path,
          env: {
            ...issuer.env,
            AUTH_JWKS_URL: `http://${host}:${issuer.port}/jwks`,
            ...deskEnv({ ...desk, url: at(desk.url) }),
            ALLOW_HTTP_HOSTS: allowed,
            NO_PROXY: "other.example",
            ...QUIET,
            [name]: `http://127.0.0.1:${proxy.port}`,
          },
        });
        const { status, body } = await submit(service, await sign());
        assertEquals([status, body.handoff?.status], [201, "created"], name);
      }
      assertEquals([proxy.requests, issuer.fetches(), desk.tickets.length], [[], 4, 4]);
    } finally {
      await desk.close();
    }
  });
}

Deno.test("no proxy of any form sees what goes to this machine, whatever NO_PROXY says", async () => {
  await using proxy = startProxy();
  const desk = startFakeDesk();
  const address = `127.0.0.1:${proxy.port}`;
  try {
    for (
      const env of [
        { HTTP_PROXY: address },
        { HTTP_PROXY: `socks5://${address}` },
        { ALL_PROXY: `socks5h://${address}` },
        { HTTP_PROXY: `http://user:password@${address}`, NO_PROXY: "*" },
        { HTTP_PROXY: `http://${address}`, no_proxy: "127.0.0.1:1, .example" },
        { HTTP_PROXY: `http://${address}`, NO_PROXY: "" },
      ] as Record<string, string>[]
    ) {
      await using file = await temporaryPath();
      await using service = await startService({
        kvPath: file.path,
        env: { ...deskEnv(desk), ...QUIET, ...env },
      });
      const { body } = await submit(service, await mintToken(AUTH_SECRET));
      assertEquals(body.handoff?.status, "created", JSON.stringify(env));
    }
    assertEquals(proxy.requests, []);
  } finally {
    await desk.close();
  }
});

Deno.test("https still goes through the proxy, as a tunnel that the proxy cannot read", async () => {
  await using proxy = startProxy();
  await using file = await temporaryPath();
  await using service = await startService({
    kvPath: file.path,
    env: {
      ...QUIET,
      ...deskEnv({ url: "https://desk.example" }),
      ALL_PROXY: `http://127.0.0.1:${proxy.port}`,
    },
  });
  const { body } = await submit(service, await mintToken(AUTH_SECRET));
  assertEquals(body.handoff?.status, "failed");
  assertEquals(new Set(proxy.requests), new Set(["CONNECT desk.example:443 HTTP/1.1"]));
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
  await using file = await temporaryPath();
  const desk = startFakeDesk();
  try {
    await using service = await startService({ kvPath: file.path, env: deskEnv(desk) });
    const flags = ["--url", service.url, "--tenant", "acme", "--handoff", "create"];
    const { code, stdout } = await runTask("smoke", flags, {
      ...deskEnv(desk),
      ...QUIET,
      DESKHAND_TOKEN: await mintToken(AUTH_SECRET),
      HTTP_PROXY: `http://127.0.0.1:${proxy.port}`,
    });
    assertEquals([code, proxy.requests], [0, []], stdout);
  } finally {
    await desk.close();
  }
});

/** Runs the health check of the Dockerfile; resolves with its exit code. */
async function checkHealth(env: Record<string, string>): Promise<number> {
  const dockerfile = await Deno.readTextFile(new URL("Dockerfile", ROOT));
  const healthCheck = /^HEALTHCHECK .*\\\n *CMD (\[[^\]]*\])/m.exec(dockerfile)![1]!;
  // The image has the bundle of the source.
  const source = healthCheck.replaceAll("\\\n", "").replace("health.js", "health.ts");
  const [, ...args] = JSON.parse(source);
  const check = command({ command: [Deno.execPath(), ...args], env: { ...QUIET, ...env } });
  return (await complete(check)).code;
}

Deno.test("the health check of the image goes to the service and not to a proxy", async () => {
  await using proxy = startProxy();
  await using file = await temporaryPath();
  await using service = await startService({ kvPath: file.path });
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
});

Deno.test("the service does not start if a host requires https, and says why", async () => {
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
