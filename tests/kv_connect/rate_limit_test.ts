/** One actor has one limit, to whichever instances the submissions are sent. */
import { assert, assertEquals } from "@std/assert";
import { pause, report, startFleet } from "./fleet.ts";

const MINUTE_MS = 60_000;
const LIMIT = 30;
const SUBMISSIONS = 100;
/** Ample time for all submissions. */
const NEEDED_MS = 15_000;

Deno.test("the rate limit counts submissions to 2 and to 4 instances", async () => {
  const remainingMs = MINUTE_MS - Date.now() % MINUTE_MS;
  if (remainingMs < NEEDED_MS) await pause(remainingMs);
  await Promise.all([2, 4].map(limits));
});

async function limits(instances: number): Promise<void> {
  await using fleet = await startFleet(instances, { RATE_LIMIT_PER_MINUTE: String(LIMIT) });
  const { services } = fleet;
  const minute = Math.floor(Date.now() / MINUTE_MS);
  const responses = await Promise.all(
    Array.from({ length: SUBMISSIONS }, (_, i) => services[i % instances]!.submit()),
  );
  assertEquals(Math.floor(Date.now() / MINUTE_MS), minute, "all submissions are in one minute");

  const rejected = responses.filter(({ status }) => status === 429);
  const accepted = responses.filter(({ status }) => status === 201);
  report({ instances, accepted: accepted.length, rejected: rejected.length });
  assertEquals([accepted.length, rejected.length], [LIMIT, SUBMISSIONS - LIMIT]);
  for (const { headers } of rejected) {
    const seconds = Number(headers.get("Retry-After"));
    assert(seconds >= 1 && seconds <= 60, `Retry-After: ${seconds}`);
  }
  assertEquals((await services[0]!.auditEvents()).length, LIMIT);
}
