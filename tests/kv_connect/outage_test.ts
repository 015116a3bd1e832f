/**
 * A KV Connect server that dies, hangs or cannot be reached under load: no acknowledged request is
 * lost.
 */
import { assertEquals, assertGreater } from "@std/assert";
import { readContents, torn } from "../support/kv_contents.ts";
import { assertUnavailable, type Service, startService } from "../support/service_process.ts";
import { waitFor } from "../support/wait_for.ts";
import {
  DESK_TIMEOUT_MS,
  type Fleet,
  GRACE_MS,
  HANGS_AFTER_MS,
  hurriedDeskEnv,
  pause,
  report,
  startFleet,
} from "./fleet.ts";
import { Load, type Sent } from "./load.ts";
import { canMakeNetworks, makeNetwork } from "./network.ts";

/** How long the server is away each time, after it has worked for a moment. */
const ABSENCES_MS = [0, 1_000, 0, 3_000, 0, 100];
const HANGS_MS = [500, 4_000];
const DROPS_MS = [30_000];
const WORKS_MS = 700;

Deno.test("a KV server that is killed under load loses no acknowledged request", async () => {
  await using fleet = await startFleet(2);
  await survives(fleet, ABSENCES_MS, async (absence) => {
    await fleet.server.kill();
    await pause(absence);
    await fleet.server.restart();
  });
});

Deno.test("a KV server that hangs under load loses no acknowledged request", async () => {
  await using fleet = await startFleet(2);
  await survives(fleet, HANGS_MS, async (absence) => {
    fleet.server.pause();
    if (absence > 2_000) await assertAway(fleet);
    await pause(absence);
    fleet.server.resume();
  });
});

// TCP waits longer before each retransmission: an old connection would hang for as long again.
Deno.test({
  name: "30 s of dropped packets lose no acknowledged request, and all work 10 s later",
  ignore: !await canMakeNetworks(),
  async fn() {
    await using network = await makeNetwork();
    await using fleet = await startFleet(2, {}, network);
    const { server, services, desk } = fleet;
    const env = { ...server.env, ...hurriedDeskEnv(desk) };
    await using startedLater = new AsyncDisposableStack();
    await survives(fleet, DROPS_MS, async (absence) => {
      await network.dropPackets();
      const end = pause(absence);
      await assertAway(fleet);
      // As a supervisor does for an instance that seems broken.
      const launch = { kvPath: server.url, env, hangsAfterMs: HANGS_AFTER_MS };
      services.push(startedLater.use(await startService(launch)));
      await end;
      await network.passPackets();
    });
  },
});

async function survives(
  fleet: Fleet,
  absences: number[],
  fail: (absence: number) => Promise<void>,
): Promise<void> {
  const { services, server, desk } = fleet;
  await using load = new Load(services);
  const recoveries: number[] = [];
  for (const absence of absences) {
    await pause(WORKS_MS);
    await fail(absence);
    const back = performance.now();
    await Promise.all(services.map(isBack));
    recoveries.push(performance.now() - back);
  }
  await pause(WORKS_MS);
  const sent = await load.stop();
  const acknowledged = sent.filter(({ response }) => response.status === 201);
  const rejected = sent.filter(({ response }) => response.status !== 201);
  const keyed = sent.filter(({ to }) => to.key !== undefined);

  await pause(DESK_TIMEOUT_MS + GRACE_MS);
  await inParallel(keyed, (one, i) => retryUntilFinal(fleet, one, i));
  const contents = await readContents(server.url);
  const lost = acknowledged.filter(({ response }) =>
    !contents.requests.has(response.body.reference)
  );
  const tickets = desk.tickets.map(({ fields }) => fields["SupportRef"]);
  const partial = torn(contents);
  report({
    faults: absences.length,
    acknowledged: acknowledged.length,
    rejected: rejected.length,
    "slowest ms": Math.round(Math.max(...sent.map(({ response }) => response.ms))),
    "slowest recovery ms": Math.round(Math.max(...recoveries)),
    "retried keys": keyed.length,
    lost: lost.length,
    torn: partial.length,
    "duplicate tickets": tickets.length - new Set(tickets).size,
  });

  assertGreater(acknowledged.length, 20, "there was load");
  assertGreater(rejected.length, 0, "the outage was noticed");
  assertEquals(partial, [], "each request has its events, and each key its request");
  assertEquals(lost, [], "every acknowledged request is stored");
  assertEquals(new Set(tickets).size, tickets.length, "no request has two tickets");
  for (const { response } of rejected) assertUnavailable(response);
  const summaries = [...contents.requests.values()].map(({ summary }) => summary);
  assertEquals(new Set(summaries).size, summaries.length, "no submission is stored twice");
  assertEquals(contents.keys.size, keyed.length);
}

/** Retries until the handoff is final, which must be as acknowledged before. */
async function retryUntilFinal({ services }: Fleet, { json, to, response }: Sent, i: number) {
  const { status, body } = response;
  const { body: final } = await waitFor(
    "the retry succeeds with a final handoff",
    () => services[i % services.length]!.submit(json, to),
    ({ status, body }) => status === 201 && body.handoff.status !== "pending",
  );
  if (status !== 201) return;
  assertEquals(final.reference, body.reference);
  if (body.handoff.status !== "pending") assertEquals(final, body);
}

/** Resolves within ten seconds, when the instance stores again and is ready. */
async function isBack(service: Service): Promise<void> {
  // Distinct ones, because one without a response may be stored nevertheless.
  const submit = () => service.submit({ summary: `Back ${crypto.randomUUID()}` });
  await waitFor("the instance stores again", submit, ({ status }) => status === 201);
  assertEquals((await service.call("/readyz")).status, 200);
}

/** Not all concurrently: that would be an outage of its own. */
async function inParallel(all: Sent[], run: (one: Sent, i: number) => Promise<void>) {
  const remaining = all.entries();
  await Promise.all(Array.from({ length: 32 }, async () => {
    for (const [i, one] of remaining) await run(one, i);
  }));
}

/** Each call gets a response before its deadline, and the process is alive. */
async function assertAway({ services }: Fleet): Promise<void> {
  for (const service of services) {
    const [submission, latest, audit, live] = await Promise.all([
      service.submit({ summary: `Away, through ${service.url}` }),
      service.latest(),
      service.call("/v1/tenants/acme/audit-events"),
      service.call("/livez"),
    ]);
    const ready = await service.call("/readyz");
    for (const response of [submission, latest, audit, ready]) assertUnavailable(response);
    assertEquals(live.status, 200);
  }
}
