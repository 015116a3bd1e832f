import { assert, assertEquals, assertRejects } from "@std/assert";
import { load, type LoadPlan } from "./load.ts";
import { deskhand, script, start } from "./processes.ts";
import { reads, submissions } from "./requests.ts";

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
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const server = Deno.serve(options, async (request) => {
    const [, , run] = new URL(request.url).pathname.split("/");
    const key = request.headers.get("Idempotency-Key");
    received.push({ run: run!, key: key!, body: await request.json() });
    return respond();
  });
  return { port: server.addr.port, received, [Symbol.asyncDispose]: () => server.shutdown() };
}

Deno.test("a load counts the responses of the server, and rotates among the runs", async () => {
  await using server = serve(() => Response.json({}));
  const result = await load(server.port, PLAN, { connections: 2, responses: 30 });
  const { responses, p50, p99, max } = result;
  assertEquals([responses, server.received.length], [30, 30]);
  assert(0 < p50 && p50 <= p99 && p99 <= max);
  assertEquals(new Set(server.received.map(({ key }) => key)).size, 30);
  const runs = Map.groupBy(server.received, ({ run }) => run);
  assertEquals(
    [...runs].map(([run, requests]) => [run, requests.length]).sort(),
    [["r-00000", 10], ["r-00001", 10], ["r-00002", 10]],
  );
  assertEquals(server.received[29]!.body, PLAN.body);
});

Deno.test("a load ends after its time", async () => {
  await using server = serve(() => Response.json({}));
  const { responses } = await load(server.port, PLAN, { connections: 2, seconds: 0.05 });
  assertEquals(responses, server.received.length);
});

const UNEXPECTED: [what: string, plan: Partial<LoadPlan>, respond: () => Response, why: RegExp][] =
  [
    ["a status", {}, () => Response.json({ why: "no" }, { status: 503 }), /not 200:[^]*"why":"no"/],
    ["a body", { contains: "created" }, () => Response.json({}), /without created/],
    ["a repeat", { repeatEvery: 2 }, () => Response.json({}), /not a replay/],
    ["a framing", {}, () => new Response(new Blob(["{}"]).stream()), /has no Content-Length/],
  ];
for (const [what, plan, respond, message] of UNEXPECTED) {
  Deno.test(`a load fails at ${what} that is not as planned`, async () => {
    await using server = serve(respond);
    const options = { connections: 2, responses: 4 };
    const error = await assertRejects(
      () => load(server.port, { ...PLAN, ...plan }, options),
      Error,
    );
    assert(message.test(error.message), error.message);
  });
}

for (const bare of ["store", "ceiling", "duties"]) {
  Deno.test(`floors/${bare}.ts stores records of the same form as the service`, async () => {
    const directory = await Deno.makeTempDir();
    await using cleanup = new AsyncDisposableStack();
    cleanup.defer(() => Deno.remove(directory, { recursive: true }));
    const stored = async (path: string, launch: Parameters<typeof start>[0]) => {
      await using server = await start(launch);
      const plan = await submissions({ isKeyed: true, runs: 1 });
      // The second one is a retry.
      await load(server.port, { ...plan, repeatEvery: 2 }, { connections: 1, responses: 2 });
      await load(server.port, await reads(1), { connections: 1, responses: 1 });
      using kv = await Deno.openKv(path);
      const entries = await Array.fromAsync(kv.list({ prefix: [] }));
      return entries.map(({ key, value }) => [key, value].map(shape));
    };
    const [barePath, path] = [`${directory}/bare.kv`, `${directory}/service.kv`];
    const records = await stored(barePath, script(`floors/${bare}.ts`, barePath));
    const service = await stored(path, deskhand(path));
    assertEquals(records.length, 3);
    assertEquals(records, service);
  });
}

/** The lengths of the strings in a record, and the places of its numbers. */
function shape(record: unknown): unknown {
  return JSON.parse(JSON.stringify(record, (_, value) => {
    if (typeof value === "number") return "a number";
    return typeof value === "string" ? `${value.length} characters` : value;
  }));
}
