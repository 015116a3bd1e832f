import { assert, assertEquals } from "@std/assert";
import { temporaryPath } from "../support/kv_file.ts";
import { startNginx } from "../support/nginx.ts";
import { type Service, since, startService } from "../support/service_process.ts";
import { callAlone, crowd } from "./clients.ts";

/** A normal client is served well below this, whatever else is open. */
const PROMPT_MS = 500;
/** nginx closes connections that have not sent their header within ten seconds. */
const ENDED_MS = 14_000;
/** Deskhand can open this many files and connections. */
const DESCRIPTORS = 400;

async function open(hasTls = false) {
  const file = await temporaryPath();
  const service = await startService({
    kvPath: file.path,
    before: `ulimit -n ${DESCRIPTORS}`,
    hangsAfterMs: 90_000,
  });
  const nginx = await startNginx({ upstream: service.url, hasTls });
  return {
    service,
    nginx,
    async [Symbol.asyncDispose]() {
      await nginx[Symbol.asyncDispose]();
      await service.kill();
      await file[Symbol.asyncDispose]();
    },
  };
}

/** The number of descriptors that Deskhand has open. */
function descriptors({ child }: Service): number {
  return [...Deno.readDirSync(`/proc/${child.pid}/fd`)].length;
}

/** Asserts that ten calls, each over a connection of its own, are served promptly. */
async function assertServed(port: number): Promise<void> {
  for (let i = 0; i < 10; i++) {
    const [status, ms] = await callAlone(port, "/livez");
    assertEquals(status, 200);
    assert(ms < PROMPT_MS, `it took ${ms} ms`);
  }
}

const CROWDS: [name: string, count: number, start: string, drip?: string][] = [
  [
    "500 senders of a slow header",
    500,
    "GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    "a",
  ],
  ["5,000 partial request lines", 5000, "GET /live"],
  ["600 idle connections", 600, ""],
];

for (const [name, count, start, drip] of CROWDS) {
  Deno.test(`nginx: ${name} delay no other client, and do not reach Deskhand`, async () => {
    await using stage = await open();
    const { service, nginx } = stage;
    await assertServed(nginx.port);
    const before = descriptors(service);
    await using held = await crowd(nginx.port, count, start, drip);
    await assertServed(nginx.port);
    const submitted = await fetch(`${nginx.url}/v1/tenants/acme/support-requests`, {
      method: "POST",
      body: "{}",
    });
    assertEquals(submitted.status, 401);
    await submitted.body?.cancel();
    const grown = descriptors(service) - before;
    assert(grown <= 16, `Deskhand has ${grown} more descriptors`);

    assert(await held.allClosed(ENDED_MS), `only ${held.closed()} are closed`);
    assert([...held.received].every((line) => !line.includes(" 200 ")), [...held.received].join());
    await assertServed(nginx.port);
  });
}

Deno.test("nginx: the idle connections of 600 clients are closed after a response", async () => {
  await using stage = await open();
  const { service, nginx } = stage;
  const before = descriptors(service);
  const request = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";
  // The rate of one address is limited: most of the responses are 429, and leave the connection open.
  await using held = await crowd(nginx.port, 600, request);
  await assertServedOrLimited(nginx.port);
  const grown = descriptors(service) - before;
  assert(grown < DESCRIPTORS / 2, `Deskhand has ${grown} more descriptors`);
  assert(await held.allClosed(20_000), `only ${held.closed()} are closed`);
});

/** The address has used up its rate: any prompt response will do. */
async function assertServedOrLimited(port: number): Promise<void> {
  const [status, ms] = await callAlone(port, "/livez");
  assert(status === 200 || status === 429, `${status}`);
  assert(ms < PROMPT_MS, `it took ${ms} ms`);
}

Deno.test("nginx: 500 partial TLS handshakes delay no other client, and are closed", async () => {
  await using stage = await open(true);
  const { nginx } = stage;
  using client = Deno.createHttpClient({ caCerts: [nginx.certificate!], poolMaxIdlePerHost: 0 });
  // A record of the type "handshake" whose 512 bytes never arrive.
  await using held = await crowd(nginx.port, 500, "\x16\x03\x01\x02\x00");
  for (let i = 0; i < 10; i++) {
    const started = performance.now();
    const response = await fetch(`${nginx.url}/livez`, { client });
    assertEquals((await response.json()).status, "live");
    assert(since(started) < PROMPT_MS, `it took ${since(started)} ms`);
  }
  assert(await held.allClosed(ENDED_MS), `only ${held.closed()} are closed`);
});
