import { assertEquals } from "@std/assert";
import { InFlightTracker } from "../../../domain/in_flight.ts";
import { shutDown } from "../../../routes/http/shutdown.ts";
import { captureLog } from "../../support/log.ts";
import { within } from "../../support/wait_for.ts";

const REFERENCE = "SR-01K9000000000000000000000A";
const never = new Promise<never>(() => {});

/** Shuts down with a server that stops when `stopped` resolves; records what happens in order. */
function startShutdown({ stopped = Promise.resolve(), wait }: {
  stopped?: Promise<void>;
  wait: (milliseconds: number) => Promise<void>;
}) {
  const { log, lines } = captureLog();
  const inFlight = new InFlightTracker();
  const steps: string[] = [];
  const server = {
    stop: () => {
      steps.push("stop accepting");
      return stopped;
    },
  };
  const closeStore = () => {
    steps.push("close the store");
    return Promise.resolve();
  };
  const start = () => shutDown(server, { inFlight, clock: { wait }, log, closeStore });
  return { start, inFlight, steps, events: () => lines.map(({ event }) => event) };
}

Deno.test("a shutdown finishes what is in flight before it closes the store", async () => {
  const { start, inFlight, steps, events } = startShutdown({ wait: () => never });
  const work = Promise.withResolvers<void>();
  inFlight.run(REFERENCE, 0, () => work.promise.then(() => void steps.push("finish the work")));
  const end = start();
  work.resolve();
  await within("the shutdown ends", end);
  assertEquals(steps, ["stop accepting", "finish the work", "close the store"]);
  assertEquals(events(), ["stopping"]);
});

Deno.test("a shutdown does not wait for a connection that stays open", async () => {
  const waits: number[] = [];
  const { start, steps } = startShutdown({
    stopped: never,
    wait: (milliseconds) => {
      waits.push(milliseconds);
      return milliseconds < 10_000 ? Promise.resolve() : never;
    },
  });
  await within("the shutdown ends", start());
  assertEquals(steps, ["stop accepting", "close the store"]);
  assertEquals(waits.toSorted(), [1_000, 10_000]);
});

Deno.test("a shutdown abandons a handoff after ten seconds, with a warning", async () => {
  const { start, inFlight, steps, events } = startShutdown({
    wait: (milliseconds) => milliseconds === 10_000 ? Promise.resolve() : never,
  });
  inFlight.run(REFERENCE, 0, () => never);
  await within("the shutdown ends", start());
  assertEquals(steps, ["stop accepting"]);
  assertEquals(events(), ["stopping", "handoffs_abandoned"]);
});
