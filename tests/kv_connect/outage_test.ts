/**
 * A KV Connect server that dies, hangs or cannot be reached, under load: nothing that was
 * acknowledged is lost.
 */
import { assertEquals, assertGreater } from "@std/assert";
import { readContents, torn } from "../support/kv_contents.ts";
import { assertUnavailable, type Service, startService } from "../support/service_process.ts";
import { waitFor } from "../support/wait_for.ts";
import {
  DESK_TIMEOUT_MS,
  deskEnv,
  type Fleet,
  GRACE_MS,
  HANGS_AFTER_MS,
  pause,
  report,
  startFleet,
} from "./fleet.ts";
import { Load, type Sent } from "./load.ts";
import { canMakeNetworks, makeNetwork } from "./network.ts";

/** How long the server stays away; each time it had worked for a moment. */
const ABSENCES_MS = [0, 1_000, 0, 3_000, 0, 100];
const HANGS_MS = [500, 4_000];
const DROPS_MS = [30_000];
const WORKS_MS = 700;

Deno.test("a KV server that is killed under load costs nothing that was acknowledged", async () => {
  await using fleet = await startFleet(2);
  await outlives(fleet, ABSENCES_MS, async (absence) => {
    await fleet.server.kill();
    await pause(absence);
    await fleet.server.restart();
  });
});

Deno.test("a KV server that hangs under load costs nothing that was acknowledged", async () => {
  await using fleet = await startFleet(2);
  await outlives(fleet, HANGS_MS, async (absence) => {
    fleet.server.pause();
    if (absence > 2_000) await assertAway(fleet);
    await pause(absence);
    fleet.server.resume();
  });
});

// TCP waits longer before each retransmission: a connection from before would hang for as long again.
Deno.test({
  name: "30 s of dropped packets cost nothing acknowledged, and ten seconds later all works",
  ignore: !await canMakeNetworks(),
  async fn() {
    await using network = await makeNetwork();
    await using fleet = await startFleet(2, {}, network);
    const { server, services, desk } = fleet;
    const env = { ...server.env, ...deskEnv(desk) };
    await using startedLater = new AsyncDisposableStack();
    await outlives(fleet, DROPS_MS, async (absence) => {
      await network.dropPackets();
      const over = pause(absence);
      await assertAway(fleet);
      // As a supervisor does that takes the instance for broken.
      const launch = { kvPath: server.url, env, hangsAfterMs: HANGS_AFTER_MS };
      services.push(startedLater.use(await startService(launch)));
      await over;
      await network.passPackets();
    });
  },
});

async function outlives(
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
  const acknowledged = sent.filter(({ answer }) => answer.status === 201);
  const refused = sent.filter(({ answer }) => answer.status !== 201);
  const keyed = sent.filter(({ to }) => to.key !== undefined);

  await pause(DESK_TIMEOUT_MS + GRACE_MS);
  await inParallel(keyed, (one, i) => repeatUntilSettled(fleet, one, i));
  const contents = await readContents(server.url);
  const lost = acknowledged.filter(({ answer }) => !contents.requests.has(answer.body.reference));
  const tickets = desk.tickets.map(({ fields }) => fields["SupportRef"]);
  const halves = torn(contents);
  report({
    faults: absences.length,
    acknowledged: acknowledged.length,
    refused: refused.length,
    "slowest ms": Math.round(Math.max(...sent.map(({ answer }) => answer.ms))),
    "slowest recovery ms": Math.round(Math.max(...recoveries)),
    "repeated keys": keyed.length,
    lost: lost.length,
    torn: halves.length,
    "duplicate tickets": tickets.length - new Set(tickets).size,
  });

  assertGreater(acknowledged.length, 100, "there was load");
  assertGreater(refused.length, 0, "it was felt");
  assertEquals(halves, [], "each request has its events, and each key its request");
  assertEquals(lost, [], "every acknowledged request is kept");
  assertEquals(new Set(tickets).size, tickets.length, "no request has two tickets");
  for (const { answer } of refused) assertUnavailable(answer);
  const summaries = [...contents.requests.values()].map(({ summary }) => summary);
  assertEquals(new Set(summaries).size, summaries.length, "no submission made two requests");
  assertEquals(contents.keys.size, keyed.length);
}

/** Ends with one answer that is settled, and is what was acknowledged before. */
async function repeatUntilSettled({ services }: Fleet, { json, to, answer }: Sent, i: number) {
  const { status, body } = answer;
  const { body: settled } = await waitFor(
    "the retry succeeds with a final handoff",
    () => services[i % services.length]!.submit(json, to),
    ({ status, body }) => status === 201 && body.handoff.status !== "pending",
  );
  if (status !== 201) return;
  assertEquals(settled.reference, body.reference);
  if (body.handoff.status !== "pending") assertEquals(settled, body);
}

/** Resolves, within ten seconds, when the instance stores what it is sent, and says so. */
async function isBack(service: Service): Promise<void> {
  // Each of its own, because one that had no response may be stored after all.
  const submit = () => service.submit({ summary: `Back ${crypto.randomUUID()}` });
  await waitFor("the instance stores again", submit, ({ status }) => status === 201);
  assertEquals((await service.call("/readyz")).status, 200);
}

/** Not all at once: that would be an outage of its own. */
async function inParallel(all: Sent[], run: (one: Sent, i: number) => Promise<void>) {
  const left = all.entries();
  await Promise.all(Array.from({ length: 32 }, async () => {
    for (const [i, one] of left) await run(one, i);
  }));
}

/** Each call has its deadline, and the process is alive. */
async function assertAway({ services }: Fleet): Promise<void> {
  for (const service of services) {
    const [submission, latest, audit, live] = await Promise.all([
      service.submit({ summary: `Away, through ${service.url}` }),
      service.latest(),
      service.call("/v1/tenants/acme/audit-events"),
      service.call("/livez"),
    ]);
    const ready = await service.call("/readyz");
    for (const answer of [submission, latest, audit, ready]) assertUnavailable(answer);
    assertEquals(live.status, 200);
  }
}
