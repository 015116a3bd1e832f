import { assert, assertEquals, assertRejects } from "@std/assert";
import { Load, type LoadPlan } from "./load.ts";
import { deskhand, Loader, MeasurementError, script, type Server, start } from "./processes.ts";
import { deskEnvironment, reads, submissions, tickets } from "./requests.ts";

const PLAN: LoadPlan = {
  method: "POST",
  path: "/runs/{run}/x",
  headers: {},
  body: { text: "é" },
  status: 200,
  runs: 3,
  isKeyed: true,
};

/** A server that records its requests. */
function serve(respond: () => Response) {
  const received: { run: string; key: string; body: unknown }[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const [, , run] = new URL(request.url).pathname.split("/");
      const key = request.headers.get("Idempotency-Key");
      received.push({ run: run!, key: key!, body: await request.json() });
      return respond();
    },
  );
  return { port: server.addr.port, received, [Symbol.asyncDispose]: () => server.shutdown() };
}

async function run(port: number, plan: LoadPlan, responses: number) {
  const load = await Load.open(port, 2, plan);
  try {
    return await load.run({ responses });
  } finally {
    load.close();
  }
}

Deno.test("a load counts the responses of the server, and rotates among the runs", async () => {
  await using server = serve(() => Response.json({}));
  const { responses, p50, p99, max } = await run(server.port, PLAN, 30);
  assertEquals([responses, server.received.length], [30, 30]);
  assert(0 < p50 && p50 <= p99 && p99 <= max);
  assertEquals(new Set(server.received.map(({ key }) => key)).size, 30);
  const runs = Object.groupBy(server.received, ({ run }) => run);
  assertEquals(
    Object.entries(runs).map(([run, requests]) => [run, requests!.length]).sort(),
    [["r-00000", 10], ["r-00001", 10], ["r-00002", 10]],
  );
  assertEquals(server.received[29]!.body, PLAN.body);
});

Deno.test("a load ends after its time", async () => {
  await using server = serve(() => Response.json({}));
  const load = await Load.open(server.port, 2, PLAN);
  const { responses } = await load.run({ seconds: 0.05 });
  load.close();
  assertEquals(responses, server.received.length);
});

const UNEXPECTED: [
  what: string,
  plan: Partial<LoadPlan>,
  respond: () => Response,
  error: RegExp,
][] = [
  ["a status", {}, () => Response.json({ why: "no" }, { status: 503 }), /not 200:[^]*"why":"no"/],
  ["a body", { contains: "created" }, () => Response.json({}), /without created/],
  ["a repeat", { repeatEvery: 2 }, () => Response.json({}), /not a replay/],
  ["a framing", {}, () => new Response(new Blob(["{}"]).stream()), /has no Content-Length/],
];
for (const [what, plan, respond, message] of UNEXPECTED) {
  Deno.test(`a load fails at ${what} that is not as planned`, async () => {
    await using server = serve(respond);
    const error = await assertRejects(() => run(server.port, { ...PLAN, ...plan }, 4), Error);
    assert(message.test(error.message), error.message);
  });
}

Deno.test("a load in a separate process reports why it failed", async () => {
  await using server = serve(() => new Response(null, { status: 500 }));
  await using loader = new Loader();
  await loader.open(server.port, 2, PLAN);
  const error = await assertRejects(() => loader.run({ responses: 4 }), MeasurementError);
  assert(/not 200:\nHTTP\/1.1 500/.test(error.message), error.message);
});

Deno.test("service and floors respond to the requests of the figures", async () => {
  const directory = await Deno.makeTempDir();
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => Deno.remove(directory, { recursive: true }));
  const launch = async (...launch: Parameters<typeof start>) => cleanup.use(await start(...launch));

  const slow = await launch(script("desks/slow.ts"));
  const hung = await launch(script("desks/hung.ts"));
  const env = { SUPPORT_DESK_TIMEOUT_MS: "100" };
  const withSlow = await launch(deskhand(`${directory}/slow.kv`, deskEnvironment(slow.port)));
  const withHung = await launch(
    deskhand(`${directory}/hung.kv`, { ...deskEnvironment(hung.port), ...env }),
  );
  const store = await launch(script("floors/store.ts", `${directory}/floor.kv`));
  const app = await launch(script("floors/app.ts", "0"));
  const handoff = await launch(script("floors/handoff.ts", `http://127.0.0.1:${slow.port}`));

  const plans: [LoadPlan, Server[]][] = [
    [await submissions(), [withSlow, store, handoff]],
    [await submissions({ isKeyed: true }), [withSlow, store]],
    [await submissions({ isKeyed: true, runs: 2 }), [withSlow, store]],
    [await submissions({ isKeyed: true, repeatEvery: 2 }), [withSlow, store]],
    [await reads(), [withSlow, store, app]],
    [await reads(2), [withSlow, store]],
    [await submissions({ isKeyed: true, outcome: "created" }), [withSlow]],
    [await submissions({ isKeyed: true, outcome: "desk_timeout" }), [withHung]],
    [tickets(), [slow]],
  ];
  for (const [plan, servers] of plans) {
    for (const { port } of servers) assertEquals((await run(port, plan, 4)).responses, 4);
  }
});

Deno.test("the floor stores records of the same form as the service", async () => {
  const directory = await Deno.makeTempDir();
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => Deno.remove(directory, { recursive: true }));
  const stored = async (path: string, launch: Parameters<typeof start>[0]) => {
    await using server = await start(launch);
    await run(server.port, await submissions({ isKeyed: true, runs: 1 }), 1);
    using kv = await Deno.openKv(path);
    const entries = await Array.fromAsync(kv.list({ prefix: [] }));
    return entries.map(({ key, value }) => [key, value].map(shape));
  };
  const floor = await stored(
    `${directory}/floor.kv`,
    script("floors/store.ts", `${directory}/floor.kv`),
  );
  const service = await stored(`${directory}/service.kv`, deskhand(`${directory}/service.kv`));
  assertEquals(floor.length, 3);
  assertEquals(floor, service);
});

/** The lengths of the strings in a record, and the places of its numbers. */
function shape(record: unknown): unknown {
  return JSON.parse(JSON.stringify(record, (_, value) => {
    if (typeof value === "number") return "a number";
    return typeof value === "string" ? `${value.length} characters` : value;
  }));
}
