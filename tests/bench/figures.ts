/** What a run measures: Deskhand beside a floor, a minimal server that does the same for the store. */
import { load, type LoadOptions, type LoadPlan } from "./load.ts";
import { alternate, each, mapSides, type Measure, type Rounds, type Sides } from "./measure.ts";
import { deskhand, script, type Server, start } from "./processes.ts";
import {
  deskEnvironment,
  reads,
  type SubmissionOptions,
  submissions,
  tickets,
} from "./requests.ts";

export interface Bench {
  /** Measured rounds of each side. */
  rounds: number;
  /** Duration of a round of load. */
  seconds: number;
  /** A directory for this figure, on the examined disk. */
  directory: string;
}

export interface Figure {
  name: string;
  /** What is measured, in one line. */
  about: string;
  measure(bench: Bench): Promise<Measure[]>;
}

type Value = "perSecond" | "p50" | "p99";
type Named = Pick<Measure, "name" | "goal"> & { value: Value };

const RUNS = 1000;
const IN_FLIGHT = 50;
const READERS = 4;
/** Bare servers beside the floor, for figures whose goal may be out of reach. */
const BARE = { ceiling: "floors/ceiling.ts", duties: "floors/duties.ts" };
type Bare = Partial<typeof BARE>;

/** Every figure, in the order in which they are measured. */
export const FIGURES: Figure[] = [
  submit("submissions", "64 concurrent in one tenant, each with a new key", { isKeyed: true }, [
    { name: "submissions", value: "perSecond", goal: 3 },
    { name: "submissions, 99th percentile", value: "p99", goal: 0.5 },
  ], { bare: BARE }),
  submit("runs", "64 concurrent in 1,000 runs in turn, each with a new key", {
    isKeyed: true,
    runs: RUNS,
  }, [{ name: "submissions in 1,000 runs", value: "perSecond", goal: 1.8 }]),
  submit(
    "replays",
    "64 concurrent in one tenant, one of a hundred a retry",
    {
      isKeyed: true,
      repeatEvery: 100,
    },
    [{ name: "submissions with replays", value: "perSecond", goal: 2.5 }],
    { bare: BARE },
  ),
  submit("one-at-a-time", "one submission at a time, each with a new key", { isKeyed: true }, [
    { name: "one submission at a time", value: "p50", goal: 1.15 },
  ], { connections: 1, bare: BARE }),
  read("latest", "64 concurrent read the latest request of one tenant", { goal: 1.4 }),
  read("latest-contexts", "64 concurrent read the latest requests of 1,000 runs", {
    goal: 1,
    runs: RUNS,
    bare: { duties: BARE.duties },
  }),
  {
    name: "reads-beside-writes",
    about: "4 readers of one tenant's latest request beside 64 writers",
    async measure(bench) {
      await using servers = await startSides(bench);
      const writing = await submissions({ isKeyed: true });
      const reading = await reads();
      const both = async ({ port }: Server) => {
        await load(port, writing, { connections: 1, responses: 1 });
        const { seconds } = bench;
        // One thread sends both, so that the latency of a read includes its wait for that thread.
        const [read] = await Promise.all([
          load(port, reading, { connections: READERS, seconds }),
          load(port, writing, { connections: 64, seconds }),
        ]);
        return read;
      };
      const sides = mapSides(servers.all, (server) => () => both(server));
      const rounds = await alternate(bench.rounds, sides);
      return measures(rounds, [{ name: "reads beside writes, 99th percentile", value: "p99" }]);
    },
  },
  {
    name: "desk-added",
    about: "what Deskhand adds to a desk that takes 100 ms, 50 in flight",
    async measure(bench) {
      await using floor = await start(script("desk.ts"));
      const concurrency = { SUPPORT_DESK_MAX_CONCURRENCY: String(IN_FLIGHT) };
      const env = { ...deskEnvironment(floor.port), ...concurrency };
      await using service = await start(deskhand(`${bench.directory}/deskhand.kv`, env));
      const plan = await submissions({ isKeyed: true, outcome: "created" });
      const options = { connections: IN_FLIGHT, seconds: bench.seconds };
      const rounds = await alternate(bench.rounds, {
        floor: () => load(floor.port, tickets(), options),
        deskhand: () => load(service.port, plan, options),
      });
      return measures(rounds, [{
        name: "a ticket, beside the desk alone",
        value: "p50",
        goal: 1.1,
      }]);
    },
  },
  {
    name: "start",
    about: "first response of a new process, beside that of a bare Hono application",
    async measure({ rounds, directory }) {
      // A start is short and varies much.
      const starts = await alternate(2 * rounds, {
        floor: () => firstResponse(script("floors/app.ts")),
        deskhand: () => firstResponse(deskhand(`${directory}/deskhand.kv`)),
      });
      return [{ name: "start from source", unit: "ms", goal: 2, ...starts }];
    },
  },
];

function submit(
  name: string,
  about: string,
  options: SubmissionOptions,
  named: Named[],
  { connections = 64, bare }: { connections?: number; bare?: Bare } = {},
): Figure {
  const measure = async (bench: Bench) => {
    await using servers = await startSides(bench, bare);
    const plan = await submissions(options);
    return measures(await loadInTurn(bench, servers.all, plan, { connections }), named);
  };
  return { name, about, measure };
}

function read(
  name: string,
  about: string,
  { goal, runs, bare }: { goal: number; runs?: number; bare?: Bare },
): Figure {
  const measure = async (bench: Bench) => {
    await using servers = await startSides(bench, bare);
    const first = await submissions({ runs });
    for (const { port } of Object.values(servers.all)) {
      await load(port, first, { connections: 1, responses: runs ?? 1 });
    }
    const rounds = await loadInTurn(bench, servers.all, await reads(runs), { connections: 64 });
    return measures(rounds, [{
      name: about.replace(/.*(?=latest)/, ""),
      value: "perSecond",
      goal,
    }]);
  };
  return { name, about, measure };
}

/** Starts the floor, the service and other bare servers, each with a file of its own. */
async function startSides({ directory }: Bench, bare: Bare = {}) {
  await using started = new AsyncDisposableStack();
  const all: Record<string, Server> = {};
  for (const [side, path] of Object.entries({ floor: "floors/store.ts", ...bare })) {
    all[side] = started.use(await start(script(path, `${directory}/${side}.kv`)));
  }
  all.deskhand = started.use(await start(deskhand(`${directory}/deskhand.kv`)));
  const stop = started.move();
  return { all: all as Sides<Server>, [Symbol.asyncDispose]: () => stop.disposeAsync() };
}

/** Loads the servers in turn. */
export function loadInTurn(
  { rounds, seconds }: Pick<Bench, "rounds" | "seconds">,
  servers: Sides<Pick<Server, "port">>,
  plan: LoadPlan,
  options: LoadOptions,
) {
  const loads = mapSides(servers, ({ port }) => () => load(port, plan, { seconds, ...options }));
  return alternate(rounds, loads);
}

/** Returns values of the loads of each round as measures. */
export function measures(
  rounds: Rounds<Record<Value | "cpu", number>>,
  named: Named[],
): Measure[] {
  const cpu = Math.max(...Object.values(rounds).flat().map(({ cpu }) => cpu));
  return named.map(({ value, ...rest }) => ({
    ...rest,
    unit: value === "perSecond" ? "/s" : "ms",
    cpu,
    ...each(rounds, (result) => result[value]),
  }));
}

/** Returns the milliseconds from the start of a process to its first response. */
async function firstResponse(launch: Parameters<typeof start>[0]): Promise<number> {
  const started = performance.now();
  // Without the shell that discards the output: it would take time, too.
  await using server = await start({ ...launch, before: undefined });
  const plan: LoadPlan = { method: "GET", path: "/livez", headers: {}, status: 200 };
  await load(server.port, plan, { connections: 1, responses: 1 });
  return performance.now() - started;
}
