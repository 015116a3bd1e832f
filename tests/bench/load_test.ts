import { assert, assertEquals, assertRejects } from "@std/assert";
import { Load, type LoadPlan } from "./load.ts";
import { deskhand, Failed, Loader, script, type Server, start } from "./processes.ts";
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

/** A server that keeps what it was asked. */
function serve(answer: () => Response) {
  const asked: { run: string; key: string; body: unknown }[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const [, , run] = new URL(request.url).pathname.split("/");
      const key = request.headers.get("Idempotency-Key");
      asked.push({ run: run!, key: key!, body: await request.json() });
      return answer();
    },
  );
  return { port: server.addr.port, asked, [Symbol.asyncDispose]: () => server.shutdown() };
}

async function ask(port: number, plan: LoadPlan, answers: number) {
  const load = await Load.open(port, 2, plan);
  try {
    return await load.run({ answers });
  } finally {
    load.close();
  }
}

Deno.test("a load counts what the server has answered, and goes through the runs in turn", async () => {
  await using server = serve(() => Response.json({}));
  const { answers, p50, p99, max } = await ask(server.port, PLAN, 30);
  assertEquals([answers, server.asked.length], [30, 30]);
  assert(0 < p50 && p50 <= p99 && p99 <= max);
  assertEquals(new Set(server.asked.map(({ key }) => key)).size, 30);
  const runs = Object.groupBy(server.asked, ({ run }) => run);
  assertEquals(
    Object.entries(runs).map(([run, asked]) => [run, asked!.length]).sort(),
    [["r-00000", 10], ["r-00001", 10], ["r-00002", 10]],
  );
  assertEquals(server.asked[29]!.body, PLAN.body);
});

Deno.test("a load is over after its time", async () => {
  await using server = serve(() => Response.json({}));
  const load = await Load.open(server.port, 2, PLAN);
  const { answers } = await load.run({ seconds: 0.05 });
  load.close();
  assertEquals(answers, server.asked.length);
});

const REFUSED: [what: string, plan: Partial<LoadPlan>, answer: () => Response, says: RegExp][] = [
  ["a status", {}, () => Response.json({ why: "no" }, { status: 503 }), /not 200:[^]*"why":"no"/],
  ["a body", { says: "created" }, () => Response.json({}), /without created/],
  ["a repeat", { repeatEvery: 2 }, () => Response.json({}), /not a replay/],
  ["a framing", {}, () => new Response(new Blob(["{}"]).stream()), /has no Content-Length/],
];
for (const [what, plan, answer, says] of REFUSED) {
  Deno.test(`a load fails at ${what} that is not as planned`, async () => {
    await using server = serve(answer);
    const error = await assertRejects(() => ask(server.port, { ...PLAN, ...plan }, 4), Error);
    assert(says.test(error.message), error.message);
  });
}

Deno.test("a load in its own process says why it failed", async () => {
  await using server = serve(() => new Response(null, { status: 500 }));
  await using loader = new Loader();
  await loader.open(server.port, 2, PLAN);
  const error = await assertRejects(() => loader.run({ answers: 4 }), Failed);
  assert(/not 200:\nHTTP\/1.1 500/.test(error.message), error.message);
});

Deno.test("the service and the floors answer what the figures ask", async () => {
  const directory = await Deno.makeTempDir();
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => Deno.remove(directory, { recursive: true }));
  const run = async (...launch: Parameters<typeof start>) => cleanup.use(await start(...launch));

  const slow = await run(script("desks/slow.ts"));
  const hung = await run(script("desks/hung.ts"));
  const env = { SUPPORT_DESK_TIMEOUT_MS: "100" };
  const withSlow = await run(deskhand(`${directory}/slow.kv`, deskEnvironment(slow.port)));
  const withHung = await run(
    deskhand(`${directory}/hung.kv`, { ...deskEnvironment(hung.port), ...env }),
  );
  const store = await run(script("floors/store.ts", `${directory}/floor.kv`));
  const app = await run(script("floors/app.ts", "0"));
  const handoff = await run(script("floors/handoff.ts", `http://127.0.0.1:${slow.port}`));

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
    for (const { port } of servers) assertEquals((await ask(port, plan, 4)).answers, 4);
  }
});

Deno.test("the floor keeps what the service keeps", async () => {
  const directory = await Deno.makeTempDir();
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => Deno.remove(directory, { recursive: true }));
  const kept = async (path: string, launch: Parameters<typeof start>[0]) => {
    await using server = await start(launch);
    await ask(server.port, await submissions({ isKeyed: true, runs: 1 }), 1);
    using kv = await Deno.openKv(path);
    const entries = await Array.fromAsync(kv.list({ prefix: [] }));
    return entries.map(({ key, value }) => [key, value].map(shape));
  };
  const floor = await kept(
    `${directory}/floor.kv`,
    script("floors/store.ts", `${directory}/floor.kv`),
  );
  const service = await kept(`${directory}/service.kv`, deskhand(`${directory}/service.kv`));
  assertEquals(floor.length, 3);
  assertEquals(floor, service);
});

/** How long the strings of a record are, and where its numbers stand. */
function shape(record: unknown): unknown {
  return JSON.parse(JSON.stringify(record, (_, value) => {
    if (typeof value === "number") return "a number";
    return typeof value === "string" ? `${value.length} characters` : value;
  }));
}
