import { assertEquals, assertLess } from "@std/assert";
import { InFlightTracker } from "../../../domain/in_flight.ts";
import { inSlices, MAX_STARTED_ON_ARRIVAL, STARTED_PER_TURN } from "../../../routes/http/slices.ts";
import { FakeClock } from "../../support/clock.ts";
import { within } from "../../support/wait_for.ts";

const COUNT = 1_000;

function newDeps() {
  return { clock: new FakeClock({ timers: "manual" }), inFlight: new InFlightTracker() };
}

/** A handler whose requests stay in flight until they are released. */
function holding() {
  const started: string[] = [];
  const arrivals: (number | undefined)[] = [];
  const released = Promise.withResolvers<void>();
  const deps = newDeps();
  const handle = inSlices(async ({ url }, { arrivedAt }) => {
    started.push(new URL(url).pathname);
    arrivals.push(arrivedAt);
    await released.promise;
    return new Response(url);
  }, deps);
  const call = async (path: string, method = "POST") =>
    await handle(new Request(`http://127.0.0.1${path}`, { method }), {});
  return { ...deps, started, arrivals, release: released.resolve, call };
}

const nextTurn = () => new Promise<void>((resolve) => setTimeout(resolve));

Deno.test("the first requests of a burst are started on arrival, the others in slices", async () => {
  const { started, release, call } = holding();
  const calls = Array.from({ length: COUNT }, (_, i) => call(`/${i}`));
  assertEquals(started.length, MAX_STARTED_ON_ARRIVAL);
  let turns = 0;
  for (let before = started.length; started.length < COUNT; before = started.length) {
    await nextTurn();
    assertLess(started.length - before, 3 * STARTED_PER_TURN);
    assertLess(turns++, COUNT);
  }
  assertEquals(started, Array.from({ length: COUNT }, (_, i) => `/${i}`), "in order of arrival");
  release();
  const urls = (await within("each has its response", Promise.all(calls))).map(({ url }) => url);
  assertEquals(urls.length, COUNT);
});

Deno.test("a health check does not wait behind a burst", async () => {
  const { started, release, call } = holding();
  const calls = Array.from({ length: COUNT }, () => call("/v1"));
  calls.push(call("/livez", "GET"), call("/readyz", "GET"));
  assertEquals(started.slice(MAX_STARTED_ON_ARRIVAL), ["/livez", "/readyz"]);
  release();
  await within("each has its response", Promise.all(calls));
});

Deno.test("a request that waits for its slice is in flight, and its time counts", async () => {
  const { clock, inFlight, arrivals, started, release, call } = holding();
  clock.advance(7);
  const calls = Array.from({ length: MAX_STARTED_ON_ARRIVAL + 1 }, () => call("/v1"));
  clock.advance(5);
  assertEquals(inFlight.isIdle(), false);
  await within("it is started", inFlight.drained());
  assertEquals(started.length, MAX_STARTED_ON_ARRIVAL + 1);
  assertEquals([arrivals[0], arrivals.at(-1)], [undefined, 7]);
  release();
  await within("each has its response", Promise.all(calls));
});

Deno.test("a request that fails in a slice rejects alone, and the next ones are started", async () => {
  const { call, release } = holding();
  const failing = inSlices(({ url }) => {
    if (url.endsWith("/bad")) throw new Error("a bug");
    return call(new URL(url).pathname);
  }, newDeps());
  const send = async (path: string) =>
    await failing(new Request(`http://127.0.0.1${path}`, { method: "POST" }), {});
  const first = Array.from({ length: MAX_STARTED_ON_ARRIVAL }, () => send("/ok"));
  const others = Promise.allSettled([
    send("/bad"),
    ...Array.from({ length: 50 }, () => send("/ok")),
  ]);
  release();
  await Promise.all(first);
  const settled = await within("each is settled", others);
  assertEquals(settled.map(({ status }) => status).filter((status) => status === "rejected"), [
    "rejected",
  ]);
});
