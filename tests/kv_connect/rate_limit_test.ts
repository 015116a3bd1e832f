/** One limit for one actor, whichever instances the submissions are sent to. */
import { assert, assertEquals } from "@std/assert";
import { pause, report, startFleet } from "./fleet.ts";

const MINUTE_MS = 60_000;
const LIMIT = 30;
const SUBMISSIONS = 100;
/** More than enough for all of them. */
const NEEDED_MS = 15_000;

Deno.test("the rate limit counts what is sent to 2 and to 4 instances", async () => {
  const leftMs = MINUTE_MS - Date.now() % MINUTE_MS;
  if (leftMs < NEEDED_MS) await pause(leftMs);
  await Promise.all([2, 4].map(limits));
});

async function limits(instances: number): Promise<void> {
  await using fleet = await startFleet(instances, { RATE_LIMIT_PER_MINUTE: String(LIMIT) });
  const { services } = fleet;
  const minute = Math.floor(Date.now() / MINUTE_MS);
  const answers = await Promise.all(
    Array.from({ length: SUBMISSIONS }, (_, i) => services[i % instances]!.submit()),
  );
  assertEquals(Math.floor(Date.now() / MINUTE_MS), minute, "the minute was over too soon");

  const refused = answers.filter(({ status }) => status === 429);
  const accepted = answers.filter(({ status }) => status === 201);
  report({ instances, accepted: accepted.length, refused: refused.length });
  assertEquals([accepted.length, refused.length], [LIMIT, SUBMISSIONS - LIMIT]);
  for (const { headers } of refused) {
    const seconds = Number(headers.get("Retry-After"));
    assert(seconds >= 1 && seconds <= 60, `Retry-After: ${seconds}`);
  }
  assertEquals((await services[0]!.auditEvents()).length, LIMIT);
}
