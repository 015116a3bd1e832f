/** Exactly one of several instances finalizes a handoff, and none overwrites it. */
import { assert, assertEquals, assertGreater } from "@std/assert";
import { startGatedDesk } from "../support/gated_desk.ts";
import { readContents, torn } from "../support/kv_contents.ts";
import { type Service, startService } from "../support/service_process.ts";
import { waitFor } from "../support/wait_for.ts";
import {
  DESK_TIMEOUT_MS,
  type Fleet,
  GRACE_MS,
  hurriedDeskEnv,
  pause,
  report,
  startFleet,
} from "./fleet.ts";

const CREATE = { handoff: { mode: "create" } };
const RUNS = 8;
/** More than a slow desk needs for two searches. */
const LONG_MS = 5_000;

type Target = { run: string; key: string };

Deno.test("exactly one of several concurrent resumes finalizes an interrupted handoff", async () => {
  await using fleet = await startFleet(4, { SUPPORT_DESK_TIMEOUT_MS: String(LONG_MS) });
  const { desk, server, services: [killed, ...others] } = fleet;
  const targets = Array.from({ length: RUNS }, (_, i) => ({ run: `r-${i}`, key: `key-${i}` }));

  desk.behave("hang-after-create");
  const submit = (one: Target) => killed!.submit(CREATE, one);
  const withTicket = Promise.allSettled(targets.slice(0, RUNS / 2).map(submit));
  await waitFor("half of the tickets exist", () => desk.tickets.length === RUNS / 2);
  desk.behave("hang");
  const without = Promise.allSettled(targets.slice(RUNS / 2).map(submit));
  await Promise.all(targets.map((one) => pending(others[0]!, one)));
  await killed!.kill();
  await Promise.all([withTicket, without]);
  for (const one of targets) await interruption(others[0]!, one, LONG_MS);
  // Two slow searches, then a creation: every search is over before the first creation.
  desk.behave("slow");
  setTimeout(() => desk.behave("normal"), 3_000);
  const responses = await Promise.all(
    targets.map((one) =>
      Promise.all([...others, ...others].map((service) => service.submit(CREATE, one)))
    ),
  );
  const count = (status: number) => responses.flat().filter((one) => one.status === status).length;
  report({
    handoffs: RUNS,
    "retries of each": 2 * others.length,
    final: count(201),
    "in progress": count(409),
    tickets: desk.tickets.length,
  });
  assertEquals(count(201) + count(409), RUNS * 2 * others.length);
  for (const [i, one] of targets.entries()) {
    const { body } = await retryUntilFinal(others[0]!, one);
    assertEquals(body.handoff.status, "created");
    const final = responses[i]!.filter(({ status }) => status === 201);
    assertGreater(final.length, 0);
    for (const response of final) assertEquals(response.body, body);
  }
  assertEquals(desk.tickets.length, RUNS, "no resume created a second ticket");
  const contents = await readContents(server.url);
  assertEquals(torn(contents), [], "each was submitted once, and finalized once");
  assertEquals(contents.requests.size, RUNS);
});

Deno.test("a suspended process does not overwrite the outcome of a resume", async () => {
  await using desk = startGatedDesk();
  await using fleet = await startFleet(3, desk.env);
  const { services: [original, resumer, reader] } = fleet;
  const target = { run: "r-1", key: "key-1" };

  const late = original!.submit(CREATE, target);
  await desk.created(1);
  original!.child.kill("SIGSTOP");
  desk.respond();
  await interruption(reader!, target);
  const { body } = await retryUntilFinal(resumer!, target);
  assertEquals(body.handoff.status, "created");
  original!.child.kill("SIGCONT");

  assertEquals((await late).body, body, "the original returns what is stored");
  await assertShownByAll(fleet, target.run, body);
  assertEquals(desk.tickets.length, 1);
  assertEquals(await eventNames(reader!), ["request.submitted", "handoff.created"]);
});

Deno.test("a resume does not overwrite a late outcome, and its own ticket is audited", async () => {
  await using fleet = await startFleet(1);
  const { services: [original], desk: hanging, server } = fleet;
  await using desk = startGatedDesk();
  const launch = {
    kvPath: server.url,
    env: { ...server.env, ...hurriedDeskEnv(hanging), ...desk.env },
  };
  await using resumer = await startService(launch);
  const target = { run: "r-1", key: "key-1" };

  hanging.behave("hang");
  const first = original!.submit(CREATE, target);
  await pending(resumer, target);
  original!.child.kill("SIGSTOP");
  await interruption(resumer, target);
  const retry = resumer.submit(CREATE, target);
  await desk.created(1);
  original!.child.kill("SIGCONT");
  const { body } = await first;
  assert(body.handoff.status === "failed" && body.handoff.ticketMayExist);
  desk.respond();

  assertEquals((await retry).body, body, "the resume returns what is stored");
  await assertShownByAll(fleet, target.run, body);
  const names = await eventNames(resumer);
  assertEquals(names, ["request.submitted", "handoff.failed", "handoff.superseded"]);
});

/** Resolves when the request is stored and its handoff is in progress. */
async function pending(service: Service, { run }: Target): Promise<void> {
  await waitFor(
    `${run} is pending`,
    () => service.latest(run),
    ({ body }) => body.supportRequest?.handoff.status === "pending",
  );
}

/** Resolves when no process can work on the handoff any more. */
async function interruption(
  service: Service,
  { run }: Target,
  deskTimeoutMs = DESK_TIMEOUT_MS,
): Promise<void> {
  const { body } = await service.latest(run);
  const since = Date.parse(body.supportRequest!.createdAt);
  await pause(Math.max(0, since + deskTimeoutMs + GRACE_MS + 1 - Date.now()));
  const { handoff } = (await service.latest(run)).body.supportRequest!;
  assert(handoff.status === "failed" && handoff.reason === "interrupted");
}

/** Retries until the response is 201. */
function retryUntilFinal(service: Service, target: Target) {
  return waitFor(
    "the retry succeeds",
    () => service.submit(CREATE, target),
    ({ status }) => status === 201,
  );
}

/** Asserts that every instance shows the request as it was acknowledged. */
async function assertShownByAll(
  { services }: Fleet,
  run: string,
  acknowledged: unknown,
): Promise<void> {
  for (const service of services) {
    assertEquals((await service.latest(run)).body.supportRequest, acknowledged);
  }
}

/** Oldest first. */
async function eventNames(service: Service): Promise<string[]> {
  return (await service.auditEvents()).map(({ event }) => event).reverse();
}
