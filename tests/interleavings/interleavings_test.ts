/**
 * Property: whatever the order in which calls start and complete, whichever process crashes, client
 * retries or call stalls, and whatever clocks and desk do, the invariants in `invariants.ts` hold.
 *
 * `INTERLEAVINGS` is the number of schedules. A failure prints the calls in their order, and
 * fast-check's seed and path: set `INTERLEAVINGS_SEED` and `INTERLEAVINGS_PATH` to them to repeat
 * that run.
 */
import { assertGreater, assertLess } from "@std/assert";
import * as fc from "fast-check";
import { checkInvariants } from "./invariants.ts";
import { KNOWN, type Plan, plan } from "./plan.ts";
import { World } from "./world.ts";

/** An in-memory KV slows down as it fills. */
const RUNS_PER_KV = 100;

const variable = (name: string) => Deno.env.get(name) || undefined;
const runs = Number(variable("INTERLEAVINGS") ?? 2_000);
const seed = variable("INTERLEAVINGS_SEED");
const path = variable("INTERLEAVINGS_PATH");

/** Not an argument of the property: fast-check's copies of one scheduler differ in their order. */
function schedulerOf({ order }: Plan): fc.Scheduler {
  return fc.sample(fc.scheduler(), { seed: order, numRuns: 1 })[0]!;
}

Deno.test(`requests survive crashes, retries and clock jumps in ${runs} schedules`, async () => {
  let kv = await Deno.openKv(":memory:");
  let failing = "";
  const seen = { schedules: 0, requests: 0, acknowledged: 0, late: 0 };

  async function run(plan: Plan): Promise<void> {
    if (++seen.schedules % RUNS_PER_KV === 0) {
      kv.close();
      kv = await Deno.openKv(":memory:");
    }
    const scheduler = schedulerOf(plan);
    const world = new World(kv, `tenant-${seen.schedules}`, plan, scheduler);
    try {
      await world.run();
      const requests = await checkInvariants(world);
      seen.requests += requests.size;
      seen.acknowledged += world.acknowledged.length;
      seen.late += world.desk.sent.filter(({ isOvertaken }) => isOvertaken).length;
    } catch (error) {
      failing = String(scheduler);
      throw error;
    }
  }

  try {
    await fc.assert(fc.asyncProperty(plan, run), {
      numRuns: runs,
      seed: seed === undefined ? undefined : Number(seed),
      path,
      examples: KNOWN.map((plan) => [plan]),
    });
  } catch (error) {
    console.log(`The calls in their order: ${failing}`);
    throw error;
  } finally {
    kv.close();
  }
  if (path !== undefined) return;
  console.log(Object.entries(seen).map(([name, count]) => `${name} ${count}`).join(" · "));
  assertGreater(seen.acknowledged, runs, "the schedules are worth running");
  assertLess(
    seen.late,
    seen.requests / 100,
    "tickets that the desk creates late are the exception",
  );
});
