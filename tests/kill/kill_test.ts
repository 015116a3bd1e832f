import { assert, assertEquals, assertGreater } from "@std/assert";
import * as fc from "fast-check";
import { type FakeDesk, startFakeDesk } from "../demo/fake_desk.ts";
import { mintToken } from "../demo/token.ts";
import { AUTH_SECRET, deskEnv } from "../support/constants.ts";
import { temporaryPath } from "../support/kv_file.ts";
import { startService } from "../support/service_process.ts";
import { type KvContents, readContents, torn } from "../support/kv_contents.ts";
import { Clients, send, type Submitted } from "./clients.ts";

const KILLS = Number(Deno.env.get("KILLS") || 20);
const SEED = Number(Deno.env.get("KILL_SEED") || Date.now() % 1_000_000);
const CLIENTS = 16;
const DESK_TIMEOUT_MS = 2_000;
/** A handoff that is pending for longer is interrupted: the desk timeout and ten seconds. */
const INTERRUPTED_AFTER_MS = DESK_TIMEOUT_MS + 10_000;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

Deno.test(`no request is lost in ${KILLS} kills under load, nor has two tickets (KILL_SEED=${SEED})`, async () => {
  await using file = await temporaryPath();
  const desk = startFakeDesk();
  try {
    await killAndResume(file.path, desk);
  } finally {
    await desk.close();
  }
});

async function killAndResume(kvPath: string, desk: FakeDesk): Promise<void> {
  const token = await mintToken(AUTH_SECRET);
  const start = () =>
    startService({
      kvPath,
      env: {
        ...deskEnv(desk),
        SUPPORT_DESK_TIMEOUT_MS: String(DESK_TIMEOUT_MS),
      },
    });

  let service = await start();
  const clients = new Clients(CLIENTS, token, () => service.url);
  const lives = fc.sample(fc.noBias(fc.integer({ min: 20, max: 700 })), {
    seed: SEED,
    numRuns: KILLS,
  });
  for (const [index, ms] of lives.entries()) {
    await pause(ms);
    await service.kill();
    if (index < KILLS - 1) service = await start();
  }
  const killedAt = Date.now();
  await clients.stop();

  const killed = await readContents(kvPath);
  const interrupted = interruptedHandoffs(killed);
  assertEquals(torn(killed), [], "a kill leaves no partial commit");

  await pause(killedAt + INTERRUPTED_AFTER_MS + 500 - Date.now());
  service = await start();
  const retries = interrupted.keys.map((key) => clients.keyed.get(key)!);
  const resumed = await inParallel(retries, (one) => resume(service.url, token, one));
  await service.stop();

  const after = await readContents(kvPath);
  const references = clients.acknowledged.map(({ request }) => request.reference);
  const lost = references.filter((reference) => !after.requests.has(reference));
  const tickets = ticketsByReference(desk);
  const doubled = [...tickets].filter(([, numbers]) => numbers.length > 1);
  const figures = {
    kills: KILLS,
    acknowledged: references.length,
    interrupted: interrupted.references.length,
    "interrupted, with a key": retries.length,
    resumed: resumed.filter(Boolean).length,
    lost: lost.length,
    torn: torn(after).length,
    duplicates: doubled.length,
  };
  console.log(Object.entries(figures).map(([name, n]) => `${name} ${n}`).join(" · "));

  // The only reason to reject is a store that is slow or still opening.
  assertEquals([...clients.rejections.keys()].filter((status) => status !== 503), []);
  assertEquals(lost, [], "every acknowledged request is stored");
  assertEquals(torn(after), [], "every change has its audit event, and every key its request");
  assertEquals(doubled, [], "no request has two tickets");
  assertGreater(references.length, KILLS, "the service was under load");
  assertGreater(retries.length, 0, "some handoffs were interrupted");
  for (const { request } of clients.acknowledged) {
    const { handoff } = after.requests.get(request.reference)!;
    if (request.handoff.status !== "pending") assertEquals(handoff, request.handoff);
  }
  for (const reference of tickets.keys()) {
    assert(after.requests.has(reference), "nothing is sent to the desk before it is stored");
  }
  for (const { key } of retries) {
    const { reference, handoff } = after.keys.get(key!)!;
    assert(handoff.status === "created", `${reference} is resumed`);
    assertEquals(tickets.get(reference), [handoff.ticket.reference], "to exactly one ticket");
  }
}

/** The pending handoffs, and the keys of those that a client retries. */
function interruptedHandoffs({ requests, keys }: KvContents) {
  const references = [...requests.values()].filter(({ handoff }) => handoff.status === "pending")
    .map(({ reference }) => reference);
  const pending = new Set(references);
  return {
    references,
    keys: [...keys].filter(([, request]) => pending.has(request?.reference ?? ""))
      .map(([key]) => key),
  };
}

/** Retries a submission until its ticket exists; resolves with whether it does. */
async function resume(url: string, token: string, submitted: Submitted): Promise<boolean> {
  for (let tries = 0; tries < 10; tries++) {
    const result = await send(url, token, submitted);
    if (result.outcome === "acknowledged" && result.request.handoff.status === "created") {
      return true;
    }
    await pause(500);
  }
  return false;
}

/** At most as many at a time as there were clients. */
async function inParallel<T, R>(items: T[], run: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const remaining = items.entries();
  await Promise.all(Array.from({ length: CLIENTS }, async () => {
    for (const [index, item] of remaining) results[index] = await run(item);
  }));
  return results;
}

/** The numbers of the desk's tickets, by the reference in the ticket. */
function ticketsByReference({ tickets }: FakeDesk): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { id, fields } of tickets) {
    const reference = fields["SupportRef"] ?? "";
    found.set(reference, [...found.get(reference) ?? [], id]);
  }
  return found;
}
