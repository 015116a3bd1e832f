import { assert, assertEquals, assertLess } from "@std/assert";
import { InFlightTracker } from "../../../domain/in_flight.ts";
import {
  Admission,
  MAX_ACTIVE,
  MAX_IN_FLIGHT,
  MAX_PER_TURN,
  MAX_WAIT_MS,
  MAX_WAITING,
} from "../../../routes/http/admission.ts";
import type { Bindings } from "../../../routes/http/server.ts";
import { FakeClock } from "../../support/clock.ts";
import { waitFor, within } from "../../support/wait_for.ts";

const COUNT = 500;

function newDeps() {
  return { clock: new FakeClock({ timers: "manual" }), inFlight: new InFlightTracker() };
}

/** A handler whose requests stay in flight until they are released. */
function holding() {
  const started: string[] = [];
  const rejected: string[] = [];
  const arrivals: (number | undefined)[] = [];
  const released = Promise.withResolvers<void>();
  let isReleased = false;
  const deps = newDeps();
  const { handle } = new Admission(async ({ url }, { arrivedAt, isOverloaded }) => {
    const { pathname } = new URL(url);
    if (isOverloaded) {
      rejected.push(pathname);
      return new Response(null, { status: 503 });
    }
    started.push(pathname);
    arrivals.push(arrivedAt);
    if (!isReleased) await released.promise;
    return new Response(url);
  }, deps);
  const call = async (path: string, method = "POST") =>
    await handle(new Request(`http://127.0.0.1${path}`, { method }), {});
  const release = () => {
    isReleased = true;
    released.resolve();
  };
  return { ...deps, started, rejected, arrivals, release, call };
}

const nextTurn = () => new Promise<void>((resolve) => setTimeout(resolve));
const settled = (calls: Promise<Response>[]) => within("each has a response", Promise.all(calls));

/** Returns by how many `list` grew at most in one turn, until it has `length` elements. */
async function largestStep(list: unknown[], length: number): Promise<number> {
  const steps: number[] = [];
  await waitFor(
    "the list is complete",
    async () => {
      const before = list.length;
      await nextTurn();
      steps.push(list.length - before);
      return list.length === length;
    },
    Boolean,
    { intervalMs: 0 },
  );
  return Math.max(...steps);
}

Deno.test("a burst is started in the order of arrival, a few requests per turn", async () => {
  const { started, rejected, release, call } = holding();
  const paths = Array.from({ length: COUNT }, (_, i) => `/${i}`);
  const calls = paths.map((path) => call(path));
  assertEquals(started.length, MAX_ACTIVE);
  release();
  // Two turns may pass between two looks.
  assertLess(await largestStep(started, COUNT), 2 * MAX_PER_TURN + 1);
  assertEquals(started, paths);
  assertEquals((await settled(calls)).map(({ status }) => status), paths.map(() => 200));
  assertEquals(rejected, []);
});

Deno.test("requests that wait for the desk or their body do not hold up others", async () => {
  const { started, release, call } = holding();
  const calls = Array.from({ length: MAX_IN_FLIGHT + 1 }, (_, i) => call(`/${i}`));
  await waitFor("they are started", () => started.length === MAX_IN_FLIGHT);
  await nextTurn();
  assertEquals(started.length, MAX_IN_FLIGHT, "no more than may be in flight");
  release();
  await settled(calls);
  assertEquals(started.length, MAX_IN_FLIGHT + 1);
});

Deno.test("a request that has waited for two seconds is rejected", async () => {
  const { clock, started, rejected, release, call } = holding();
  const calls = Array.from({ length: MAX_IN_FLIGHT }, () => call("/slow"));
  await waitFor("they are started", () => started.length === MAX_IN_FLIGHT);
  calls.push(call("/first"));
  clock.advance(1);
  calls.push(call("/second"));
  clock.advance(MAX_WAIT_MS - 1);
  await waitFor("one is rejected", () => rejected.length > 0);
  await nextTurn();
  assertEquals(rejected, ["/first"]);
  release();
  assertEquals((await settled(calls)).map(({ status }) => status).slice(-2), [503, 200]);
});

Deno.test("those that waited too long are rejected a few per turn", async () => {
  const { clock, rejected, release, call } = holding();
  const calls = Array.from({ length: COUNT }, () => call("/v1"));
  clock.advance(MAX_WAIT_MS);
  assertLess(await largestStep(rejected, COUNT - MAX_ACTIVE), 2 * MAX_PER_TURN + 1);
  release();
  await settled(calls);
});

Deno.test("the number of waiting requests is limited", async () => {
  const { started, rejected, release, call } = holding();
  const calls = Array.from({ length: MAX_IN_FLIGHT + MAX_WAITING + 5 }, (_, i) => call(`/${i}`));
  await waitFor("some are rejected and started", () => {
    return started.length === MAX_IN_FLIGHT && rejected.length >= 5;
  });
  assertLess(rejected.length, MAX_IN_FLIGHT);
  release();
  await settled(calls);
});

Deno.test("a health check does not wait behind a burst", async () => {
  const { started, release, call } = holding();
  const calls = Array.from({ length: COUNT }, () => call("/v1"));
  calls.push(call("/livez", "GET"), call("/readyz", "GET"));
  assertEquals(started.slice(MAX_ACTIVE), ["/livez", "/readyz"]);
  release();
  await settled(calls);
});

Deno.test("a request that waits is in flight, and its time counts", async () => {
  const { clock, inFlight, arrivals, started, release, call } = holding();
  clock.advance(7);
  const calls = Array.from({ length: MAX_ACTIVE + 1 }, () => call("/v1"));
  clock.advance(5);
  assertEquals(inFlight.isIdle(), false);
  await within("it is started", inFlight.drained());
  assertEquals(started.length, MAX_ACTIVE + 1);
  assertEquals([arrivals[0], arrivals.at(-1)], [undefined, 7]);
  release();
  await settled(calls);
});

Deno.test("a waiting request that fails rejects alone, and the next ones are started", async () => {
  const { call, release } = holding();
  const { handle } = new Admission(({ url }) => {
    if (url.endsWith("/bad")) throw new Error("a bug");
    return call(new URL(url).pathname);
  }, newDeps());
  const send = async (path: string) =>
    await handle(new Request(`http://127.0.0.1${path}`, { method: "POST" }), {});
  const first = Array.from({ length: MAX_ACTIVE }, () => send("/ok"));
  const others = Promise.allSettled([
    send("/bad"),
    ...Array.from({ length: 50 }, () => send("/ok")),
  ]);
  release();
  await Promise.all(first);
  const results = await within("each is settled", others);
  assertEquals(results.map(({ status }) => status).filter((status) => status === "rejected"), [
    "rejected",
  ]);
});

Deno.test("a waiting request keeps what the server passes with it", async () => {
  const received: Bindings[] = [];
  const { handle } = new Admission(async (_, bindings) => {
    received.push(bindings);
    await nextTurn();
    return new Response();
  }, newDeps());
  const bindings = { fallbackHost: "localhost", arrivedAt: 3, onBodyRead: () => {} };
  const send = async () =>
    await handle(new Request("http://127.0.0.1/", { method: "POST" }), bindings);
  await settled(Array.from({ length: MAX_ACTIVE + 1 }, send));
  assertEquals(received.at(-1), { ...bindings, isOverloaded: false });
  assert(received.every(({ isOverloaded }) => !isOverloaded));
});
