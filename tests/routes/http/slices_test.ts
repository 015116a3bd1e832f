import { assertEquals, assertLess } from "@std/assert";
import { inSlices, MAX_STARTED_ON_ARRIVAL, STARTED_PER_TURN } from "../../../routes/http/slices.ts";
import { within } from "../../support/wait_for.ts";

const COUNT = 1_000;

/** A handler whose requests stay in flight until they are released. */
function holding() {
  const started: string[] = [];
  const released = Promise.withResolvers<void>();
  const handle = inSlices(async ({ url }) => {
    started.push(new URL(url).pathname);
    await released.promise;
    return new Response(url);
  });
  const call = async (path: string, method = "POST") =>
    await handle(new Request(`http://127.0.0.1${path}`, { method }), {});
  return { started, release: released.resolve, call };
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

Deno.test("a request that fails in a slice rejects alone, and the next ones are started", async () => {
  const { call, release } = holding();
  const failing = inSlices(({ url }) => {
    if (url.endsWith("/bad")) throw new Error("a bug");
    return call(new URL(url).pathname);
  });
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
