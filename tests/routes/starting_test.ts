import { assertEquals, assertRejects } from "@std/assert";
import { VERSION } from "../../config/version.ts";
import { InFlightTracker } from "../../domain/in_flight.ts";
import { noopTelemetry } from "../../domain/ports/telemetry.ts";
import type { Handler } from "../../routes/http/server.ts";
import { handleWhileLoading } from "../../routes/starting.ts";
import { FakeClock } from "../support/clock.ts";
import { captureLog } from "../support/log.ts";
import { openService } from "../support/service.ts";

const ORIGIN = "https://app.example";

/** A handler whose application is `app`, which counts how often it is loaded. */
function startLoading(app: Promise<{ fetch: Handler }>) {
  const { log, lines } = captureLog();
  const deps = {
    log,
    clock: new FakeClock({ timers: "manual" }),
    telemetry: noopTelemetry,
    inFlight: new InFlightTracker(),
  };
  let loads = 0;
  const load = () => {
    loads++;
    return app;
  };
  const { clock, inFlight } = deps;
  const options = { deps, corsOrigins: [ORIGIN], publicUrl: null, version: VERSION };
  const handle = handleWhileLoading(load, options);
  const call = async (path: string, init: RequestInit = { headers: { Host: "127.0.0.1" } }) =>
    await handle(new Request(`http://127.0.0.1${path}`, init), {});
  return { call, clock, inFlight, lines, loads: () => loads };
}

async function content(response: Response) {
  return [response.status, [...response.headers].sort(), await response.text()];
}

Deno.test("livez responds before the application is loaded, and with the same response", async () => {
  const { call, lines, loads } = startLoading(new Promise(() => {}));
  await using service = await openService({ env: { CORS_ORIGINS: ORIGIN } });
  for (const origin of [null, ORIGIN, "https://other.example"]) {
    const headers = new Headers({ Host: "127.0.0.1", "X-Request-Id": "r-1" });
    if (origin !== null) headers.set("Origin", origin);
    const early = await content(await call("/livez", { headers }));
    const late = await service.call("/livez", { token: null, headers });
    assertEquals(early, await content(late));
  }
  assertEquals(loads(), 0);
  const [line] = service.lines.filter(({ event }) => event === "request_completed");
  assertEquals({ ...lines[0], ms: 0 }, { ...line, ms: 0 });
});

Deno.test("requests wait until the application is loaded, then all go to it", async () => {
  const { promise, resolve } = Promise.withResolvers<{ fetch: Handler }>();
  const { call, loads } = startLoading(promise);
  const requests = [
    call("/readyz"),
    call("/livez", { method: "POST" }),
    call("/livez/x"),
    call("/livez?x", { headers: { Host: "x/y" } }),
  ];
  assertEquals(loads(), requests.length);
  resolve({ fetch: ({ method, url }) => new Response(`${method} ${url}`) });
  assertEquals(await Promise.all((await Promise.all(requests)).map((r) => r.text())), [
    "GET http://127.0.0.1/readyz",
    "POST http://127.0.0.1/livez",
    "GET http://127.0.0.1/livez/x",
    "GET http://127.0.0.1/livez?x",
  ]);
  assertEquals(await (await call("/livez")).text(), "GET http://127.0.0.1/livez");
  assertEquals(loads(), requests.length);
});

Deno.test("a request that waits for the application is in flight, and its time counts", async () => {
  const { promise, resolve } = Promise.withResolvers<{ fetch: Handler }>();
  const { call, clock, inFlight } = startLoading(promise);
  clock.advance(7);
  const request = call("/readyz");
  clock.advance(5);
  assertEquals(inFlight.isIdle(), false);
  resolve({ fetch: (_, { arrivedAt }) => new Response(`${arrivedAt}`) });
  assertEquals(await (await request).text(), "7");
  assertEquals(inFlight.isIdle(), true);
});

Deno.test("a request is not responded to if the application cannot be loaded", async () => {
  const { call } = startLoading(Promise.reject(new Error("no such module")));
  await assertRejects(() => call("/readyz"), Error, "no such module");
});
