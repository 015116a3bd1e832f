/** Who settles a handoff when several instances try: exactly one, and nobody overwrites it. */
import { assert, assertEquals, assertGreater } from "@std/assert";
import { startGatedDesk } from "../support/gated_desk.ts";
import { readContents, torn } from "../support/kv_contents.ts";
import { type Service, startService } from "../support/service_process.ts";
import { waitFor } from "../support/wait_for.ts";
import {
  DESK_TIMEOUT_MS,
  deskEnv,
  type Fleet,
  GRACE_MS,
  pause,
  report,
  startFleet,
} from "./fleet.ts";

const CREATE = { handoff: { mode: "create" } };
const RUNS = 8;
/** More than a slow desk needs for two searches. */
const LONG_MS = 5_000;

type Wanted = { run: string; key: string };

Deno.test("of all instances that resume an interrupted handoff at once exactly one settles it", async () => {
  await using fleet = await startFleet(4, { SUPPORT_DESK_TIMEOUT_MS: String(LONG_MS) });
  const { desk, server, services: [killed, ...others] } = fleet;
  const wanted = Array.from({ length: RUNS }, (_, i) => ({ run: `r-${i}`, key: `key-${i}` }));

  desk.behave("hang-after-create");
  const submit = (one: Wanted) => killed!.submit(CREATE, one);
  const withTicket = Promise.allSettled(wanted.slice(0, RUNS / 2).map(submit));
  await waitFor("half of the tickets exist", () => desk.tickets.length === RUNS / 2);
  desk.behave("hang");
  const without = Promise.allSettled(wanted.slice(RUNS / 2).map(submit));
  await Promise.all(wanted.map((one) => pending(others[0]!, one)));
  await killed!.kill();
  await Promise.all([withTicket, without]);
  for (const one of wanted) await interruption(others[0]!, one, LONG_MS);
  // Two slow searches, then a creation: whoever may search has done it before anybody creates.
  desk.behave("slow");
  setTimeout(() => desk.behave("normal"), 3_000);
  const answers = await Promise.all(
    wanted.map((one) =>
      Promise.all([...others, ...others].map((service) => service.submit(CREATE, one)))
    ),
  );
  const count = (status: number) => answers.flat().filter((one) => one.status === status).length;
  report({
    handoffs: RUNS,
    "repeats of each": 2 * others.length,
    answered: count(201),
    "under way": count(409),
    tickets: desk.tickets.length,
  });
  assertEquals(count(201) + count(409), RUNS * 2 * others.length);
  for (const [i, one] of wanted.entries()) {
    const { body } = await settled(others[0]!, one);
    assertEquals(body.handoff.status, "created");
    const told = answers[i]!.filter(({ status }) => status === 201);
    assertGreater(told.length, 0);
    for (const answer of told) assertEquals(answer.body, body);
  }
  assertEquals(desk.tickets.length, RUNS, "no resume made a second ticket");
  const contents = await readContents(server.url);
  assertEquals(torn(contents), [], "each was submitted once, and settled once");
  assertEquals(contents.requests.size, RUNS);
});

Deno.test("an original that was asleep does not overwrite what a resume has settled", async () => {
  await using desk = startGatedDesk();
  await using fleet = await startFleet(3, desk.env);
  const { services: [original, resumer, reader] } = fleet;
  const wanted = { run: "r-1", key: "key-1" };

  const late = original!.submit(CREATE, wanted);
  await desk.created(1);
  original!.child.kill("SIGSTOP");
  desk.respond();
  await interruption(reader!, wanted);
  const { body } = await settled(resumer!, wanted);
  assertEquals(body.handoff.status, "created");
  original!.child.kill("SIGCONT");

  assertEquals((await late).body, body, "the original tells what is stored");
  await assertStands(fleet, wanted.run, body);
  assertEquals(desk.tickets.length, 1);
  assertEquals(await eventNames(reader!), ["request.submitted", "handoff.created"]);
});

Deno.test("a resume does not overwrite what the original settled after all, and its ticket is audited", async () => {
  await using fleet = await startFleet(1);
  const { services: [original], desk: hanging, server } = fleet;
  await using desk = startGatedDesk();
  const launch = { kvPath: server.url, env: { ...server.env, ...deskEnv(hanging), ...desk.env } };
  await using resumer = await startService(launch);
  const wanted = { run: "r-1", key: "key-1" };

  hanging.behave("hang");
  const first = original!.submit(CREATE, wanted);
  await pending(resumer, wanted);
  original!.child.kill("SIGSTOP");
  await interruption(resumer, wanted);
  const repeat = resumer.submit(CREATE, wanted);
  await desk.created(1);
  original!.child.kill("SIGCONT");
  const { body } = await first;
  assert(body.handoff.status === "failed" && body.handoff.ticketMayExist);
  desk.respond();

  assertEquals((await repeat).body, body, "the resume tells what is stored");
  await assertStands(fleet, wanted.run, body);
  const names = await eventNames(resumer);
  assertEquals(names, ["request.submitted", "handoff.failed", "handoff.superseded"]);
});

/** Resolves when the request is stored, and the desk is being asked. */
async function pending(service: Service, { run }: Wanted): Promise<void> {
  await waitFor(
    `${run} is pending`,
    () => service.latest(run),
    ({ body }) => body.supportRequest?.handoff.status === "pending",
  );
}

/** Resolves when nobody can be at work on the handoff any more. */
async function interruption(
  service: Service,
  { run }: Wanted,
  deskTimeoutMs = DESK_TIMEOUT_MS,
): Promise<void> {
  const { body } = await service.latest(run);
  const since = Date.parse(body.supportRequest!.createdAt);
  await pause(Math.max(0, since + deskTimeoutMs + GRACE_MS + 1 - Date.now()));
  const { handoff } = (await service.latest(run)).body.supportRequest!;
  assert(handoff.status === "failed" && handoff.reason === "interrupted");
}

/** The first answer that is not a refusal. */
function settled(service: Service, wanted: Wanted) {
  return waitFor(
    "the retry succeeds",
    () => service.submit(CREATE, wanted),
    ({ status }) => status === 201,
  );
}

/** Every instance shows the request as it was told. */
async function assertStands({ services }: Fleet, run: string, told: unknown): Promise<void> {
  for (const service of services) {
    assertEquals((await service.latest(run)).body.supportRequest, told);
  }
}

/** Oldest first. */
async function eventNames(service: Service): Promise<string[]> {
  return (await service.auditEvents()).map(({ event }) => event).reverse();
}
