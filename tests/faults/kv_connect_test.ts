import {
  assert,
  assertEquals,
  assertFalse,
  assertGreater,
  assertLess,
  assertRejects,
} from "@std/assert";
import { kvErrorMessage } from "../../kv/client/error_message.ts";
import { openStore } from "../../kv/open/open_store.ts";
import { startFakeDesk } from "../demo/fake_desk.ts";
import { deskEnv, TENANT } from "../support/constants.ts";
import { type KvServerMode, SERVER_SECRET, startKvServer } from "../support/fake_kv_server.ts";
import { freePort } from "../support/raw_server.ts";
import { openService } from "../support/service.ts";
import {
  assertUnavailable,
  type Service,
  since,
  startService,
} from "../support/service_process.ts";
import { waitFor } from "../support/wait_for.ts";

const LATEST = `${TENANT}/latest`;

/** Each call gets a response before its deadline that says what to do. */
async function assertAway(service: Service): Promise<void> {
  const [submission, keyed, latest, audit, live] = await Promise.all([
    service.submit(),
    service.submit({}, { key: "k-1" }),
    service.latest(),
    service.call("/v1/tenants/acme/audit-events"),
    service.call("/livez"),
  ]);
  const ready = await service.call("/readyz");
  for (const response of [submission, keyed, latest, audit, ready]) assertUnavailable(response);
  assertLess(ready.ms, submission.ms);
  assertEquals(live.status, 200);
}

async function assertBack(service: Service): Promise<void> {
  await waitFor("the service is ready", () => isReady(service));
  assertEquals((await service.latest()).status, 200);
  assertEquals((await service.submit()).status, 201);
}

async function survives(fault: KvServerMode): Promise<void> {
  await using server = startKvServer(fault);
  await using service = await startService({ kvPath: server.url, env: server.env });
  await assertAway(service);
  server.become("works");
  await assertBack(service);
  server.become(fault);
  await assertAway(service);
  server.become("works");
  await assertBack(service);
  assertEquals(await service.stop(), 0);
  assertFalse(service.output.lines.some((line) => JSON.stringify(line).includes(SERVER_SECRET)));
}

async function survivesAbsence(): Promise<void> {
  const port = freePort();
  const kvPath = `http://127.0.0.1:${port}`;
  await using service = await startService({ kvPath, env: { DENO_KV_ACCESS_TOKEN: "token" } });
  await assertAway(service);
  const server = startKvServer("works", port);
  await assertBack(service);
  await server[Symbol.asyncDispose]();
  await assertAway(service);
  await using _ = startKvServer("works", port);
  await assertBack(service);
  assertEquals(await service.stop(), 0);
}

/** It exits ten seconds after SIGTERM, whatever is in progress, and logs it. */
async function endsInTime(): Promise<void> {
  await using server = startKvServer();
  const desk = startFakeDesk();
  desk.behave("hang");
  await using service = await startService({
    kvPath: server.url,
    env: {
      ...server.env,
      RATE_LIMIT_PER_MINUTE: "30",
      ...deskEnv(desk),
    },
  });
  await waitFor("the service is ready", () => isReady(service));
  server.become("is slow");
  // Four calls to KV of nearly two seconds, five seconds at the desk, and the finalization.
  const submission = assertRejects(
    () => service.submit({ handoff: { mode: "create" } }),
    TypeError,
  );
  const { calls } = server;
  await waitFor("the server is called", () => server.calls > calls);
  const started = performance.now();
  assertEquals(await service.stop(), 0);
  assertGreater(since(started), 9_500);
  assertLess(since(started), 14_000);
  assert(
    service.output.lines.some(({ event }) => event === "handoffs_abandoned"),
  );
  await submission;
  await desk.close();
}

/** It exits on SIGTERM although the store never opens. */
async function endsWhileOpening(): Promise<void> {
  await using server = startKvServer("hangs");
  await using service = await startService({ kvPath: server.url, env: server.env });
  const started = performance.now();
  assertEquals(await service.stop(), 0);
  assertLess(since(started), 2_000);
}

async function isReady(service: Service): Promise<boolean> {
  return (await service.call("/readyz")).status === 200;
}

// Concurrently, because each of them mostly waits for deadlines.
Deno.test("a service survives a KV server that hangs, fails or is down, and can exit", async () => {
  const ends = await Promise.allSettled([
    survives("hangs"),
    survives("responds 500"),
    survivesAbsence(),
    endsWhileOpening(),
    endsInTime(),
  ]);
  for (const end of ends) if (end.status === "rejected") throw end.reason;
});

Deno.test("openStore gives up an opening that hangs, and closes a handle that is late", async () => {
  await using server = startKvServer("hangs");
  Deno.env.set("DENO_KV_ACCESS_TOKEN", "token");
  await assertRejects(
    () => openStore({ kind: "connect", url: server.url }, 50),
    Error,
    "did not respond within 50 ms",
  );
  server.become("works");
  // This opening completes after the first: the test would report a handle that is left open.
  (await Deno.openKv(server.url)).close();
});

Deno.test("the text of a KV server's errors is neither logged nor sent to a client", async () => {
  await using server = startKvServer("responds 401");
  const location = { kind: "connect", url: server.url } as const;
  Deno.env.set("DENO_KV_ACCESS_TOKEN", "token");
  const error = await assertRejects(() => openStore(location), Error, SERVER_SECRET);
  assertEquals(
    kvErrorMessage(error),
    `Could not open Deno KV database: the metadata endpoint at '${server.url}/' responded with ` +
      "status 401 Unauthorized",
  );
  server.become("works");
  const { kv, close } = await openStore(location);
  server.become("responds 401");
  await using service = await openService({ kv });
  const response = await service.call(LATEST);
  assertEquals(response.status, 503);
  assertFalse((await response.text()).includes(SERVER_SECRET));
  assertEquals(service.lines[0]?.error, "KV failed: Failed to fetch metadata");
  close();
});

Deno.test("a KV server that hangs gets no more calls, until it responds again", async () => {
  await using server = startKvServer();
  Deno.env.set("DENO_KV_ACCESS_TOKEN", "token");
  using kv = await Deno.openKv(server.url);
  const env = { KV_PATH: server.url, DENO_KV_ACCESS_TOKEN: "token" };
  await using service = await openService({ kv, env });
  const latest = async () => {
    const response = await service.call(LATEST);
    await response.body?.cancel();
    return response.status;
  };
  server.become("hangs");
  const statuses = await Promise.all(Array.from({ length: 150 }, latest));
  assert(statuses.every((status) => status === 503));
  const { calls } = server;
  const started = performance.now();
  assertEquals(await latest(), 503);
  assertLess(since(started), 500);
  assertEquals(server.calls, calls);
  server.become("works");
  await waitFor("reads succeed again", latest, (status) => status === 200);
});

Deno.test("the service retries once a second while a KV server is down", async () => {
  const kvPath = `http://127.0.0.1:${freePort()}`;
  await using service = await startService({ kvPath, env: { DENO_KV_ACCESS_TOKEN: "token" } });
  const failures = await waitFor(
    "four attempts to open are logged",
    () => service.output.lines.filter(({ event }) => event === "store_open_failed"),
    (lines) => lines.length >= 4,
  );
  const times = failures.map((line) => Date.parse(String(line["@timestamp"])));
  for (const [i, time] of times.entries()) {
    if (i === 0) continue;
    // A refused connection takes no time. The rest is slack for a busy machine.
    assert(time - times[i - 1]! >= 990 && time - times[i - 1]! < 3_000, `${times}`);
  }
});
