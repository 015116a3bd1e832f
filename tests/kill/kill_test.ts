import { assert, assertEquals, assertGreater } from "@std/assert";
import * as fc from "fast-check";
import { type FakeDesk, startFakeDesk } from "../demo/fake_desk.ts";
import { mintToken } from "../demo/token.ts";
import { AUTH_SECRET, deskEnv } from "../support/constants.ts";
import { startService } from "../support/service_process.ts";
import { type KvFile, readKvFile, torn } from "../support/kv_contents.ts";
import { Clients, send, type Submitted } from "./clients.ts";

const KILLS = Number(Deno.env.get("KILLS") || 20);
const SEED = Number(Deno.env.get("KILL_SEED") || Date.now() % 1_000_000);
const CLIENTS = 16;
const DESK_TIMEOUT_MS = 2_000;
/** A handoff that is pending for longer was cut: the desk's time and the ten seconds of grace. */
const INTERRUPTED_AFTER_MS = DESK_TIMEOUT_MS + 10_000;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

Deno.test(`the service keeps every promise through ${KILLS} kills under load (KILL_SEED=${SEED})`, async () => {
  const folder = await Deno.makeTempDir();
  const desk = startFakeDesk();
  try {
    await killAndResume(`${folder}/deskhand.kv`, desk);
  } finally {
    await desk.close();
    await Deno.remove(folder, { recursive: true });
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

  const killed = await readKvFile(kvPath);
  const cut = cutHandoffs(killed);
  assertEquals(torn(killed), [], "a kill leaves no half of a commit");

  await pause(killedAt + INTERRUPTED_AFTER_MS + 500 - Date.now());
  service = await start();
  const repeats = cut.keys.map((key) => clients.keyed.get(key)!);
  const resumed = await inParallel(repeats, (one) => resume(service.url, token, one));
  await service.stop();

  const after = await readKvFile(kvPath);
  const references = clients.acknowledged.map(({ request }) => request.reference);
  const lost = references.filter((reference) => !after.requests.has(reference));
  const tickets = ticketsByReference(desk);
  const doubled = [...tickets].filter(([, numbers]) => numbers.length > 1);
  const figures = {
    kills: KILLS,
    acknowledged: references.length,
    cut: cut.references.length,
    "cut, with a key": repeats.length,
    resumed: resumed.filter(Boolean).length,
    lost: lost.length,
    torn: torn(after).length,
    duplicates: doubled.length,
  };
  console.log(Object.entries(figures).map(([name, n]) => `${name} ${n}`).join(" · "));

  // A store that is still being opened, or slow, is the one reason to refuse.
  assertEquals([...clients.refusals.keys()].filter((status) => status !== 503), []);
  assertEquals(lost, [], "every acknowledged request is kept");
  assertEquals(torn(after), [], "every change has its audit event, and every key its request");
  assertEquals(doubled, [], "no request has two tickets");
  assertGreater(references.length, KILLS, "the service was under load");
  assertGreater(repeats.length, 0, "some handoffs were cut");
  for (const { request: told } of clients.acknowledged) {
    const { handoff } = after.requests.get(told.reference)!;
    if (told.handoff.status !== "pending") assertEquals(handoff, told.handoff);
  }
  for (const reference of tickets.keys()) {
    assert(after.requests.has(reference), "nothing is sent to the desk before it is kept");
  }
  for (const { key } of repeats) {
    const { reference, handoff } = after.keys.get(key!)!;
    assert(handoff.status === "created", `${reference} is resumed`);
    assertEquals(tickets.get(reference), [handoff.ticket.reference], "to exactly one ticket");
  }
}

/** Handoffs that no process will finish by itself, and the keys of those that a client repeats. */
function cutHandoffs({ requests, keys }: KvFile) {
  const references = [...requests.values()].filter(({ handoff }) => handoff.status === "pending")
    .map(({ reference }) => reference);
  const isCut = new Set(references);
  return {
    references,
    keys: [...keys].filter(([, request]) => isCut.has(request?.reference ?? ""))
      .map(([key]) => key),
  };
}

/** Repeats a submission until its handoff is settled. Whether it was. */
async function resume(url: string, token: string, submitted: Submitted): Promise<boolean> {
  for (let tries = 0; tries < 10; tries++) {
    const answer = await send(url, token, submitted);
    if (answer.outcome === "acknowledged" && answer.request.handoff.status === "created") {
      return true;
    }
    await pause(500);
  }
  return false;
}

/** At most as many at once as there were clients. */
async function inParallel<T, R>(items: T[], run: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const left = items.entries();
  await Promise.all(Array.from({ length: CLIENTS }, async () => {
    for (const [index, item] of left) results[index] = await run(item);
  }));
  return results;
}

/** What the desk has, by the reference that each ticket carries. */
function ticketsByReference({ tickets }: FakeDesk): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { id, fields } of tickets) {
    const reference = fields["SupportRef"] ?? "";
    found.set(reference, [...found.get(reference) ?? [], id]);
  }
  return found;
}
