/** What a run measures: Deskhand beside a floor, a minimal server that does the same for the store. */
import { load, type LoadOptions, type LoadPlan } from "./load.ts";
import { alternate, each, mapSides, type Measure, type Rounds, type Sides } from "./measure.ts";
import { deskhand, script, type Server, start } from "./processes.ts";
import { deskEnvironment, reads, submissions, tickets } from "./requests.ts";

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
type Named = [name: string, value: Value, goal?: number];

const RUNS = 1000;
const IN_FLIGHT = 50;
const READERS = 4;
/** Bare servers beside the floor, for figures whose goal may be out of reach. */
const BARE = { ceiling: "floors/ceiling.ts", duties: "floors/duties.ts" };

interface LoadFigure {
  about: string;
  plan: () => Promise<LoadPlan>;
  measures: Named[];
  /** 64 by default. */
  connections?: number;
  /** Whether requests are stored before, in how many runs. */
  stored?: { runs?: number };
  bare?: Partial<typeof BARE>;
}

/** Every figure, in the order in which they are measured. */
export const FIGURES: Figure[] = [
  loads("submissions", {
    about: "64 concurrent in one tenant, each with a new key",
    plan: () => submissions({ isKeyed: true }),
    measures: [["submissions", "perSecond", 3], ["submissions, 99th percentile", "p99", 0.5]],
    bare: BARE,
  }),
  loads("runs", {
    about: "64 concurrent in 1,000 runs in turn, each with a new key",
    plan: () => submissions({ isKeyed: true, runs: RUNS }),
    measures: [["submissions in 1,000 runs", "perSecond", 1.8]],
  }),
  loads("replays", {
    about: "64 concurrent in one tenant, one of a hundred a retry",
    plan: () => submissions({ isKeyed: true, repeatEvery: 100 }),
    measures: [["submissions with replays", "perSecond", 2.5]],
    bare: BARE,
  }),
  loads("one-at-a-time", {
    about: "one submission at a time, each with a new key",
    plan: () => submissions({ isKeyed: true }),
    measures: [["one submission at a time", "p50", 1.15]],
    connections: 1,
    bare: BARE,
  }),
  loads("latest", {
    about: "64 concurrent read the latest request of one tenant",
    plan: () => reads(),
    measures: [["latest request of one tenant", "perSecond", 1.4]],
    stored: {},
  }),
  loads("latest-contexts", {
    about: "64 concurrent read the latest requests of 1,000 runs",
    plan: () => reads(RUNS),
    measures: [["latest requests of 1,000 runs", "perSecond", 1]],
    stored: { runs: RUNS },
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
      return measures(rounds, [["reads beside writes, 99th percentile", "p99"]]);
    },
  },
  {
    name: "desk-added",
    about: "what Deskhand adds to a desk that takes 100 ms, 50 in flight",
    async measure(bench) {
      await using floor = await start(script("desk.ts"));
      const env = deskEnvironment(floor.port, IN_FLIGHT);
      await using service = await start(deskhand(`${bench.directory}/deskhand.kv`, env));
      const plan = await submissions({ isKeyed: true, outcome: "created" });
      const options = { connections: IN_FLIGHT, seconds: bench.seconds };
      const rounds = await alternate(bench.rounds, {
        floor: () => load(floor.port, tickets(), options),
        deskhand: () => load(service.port, plan, options),
      });
      return measures(rounds, [["a ticket, beside the desk alone", "p50", 1.1]]);
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

function loads(name: string, { about, stored, bare, ...figure }: LoadFigure): Figure {
  const measure = async (bench: Bench) => {
    await using servers = await startSides(bench, bare);
    const { connections = 64 } = figure;
    if (stored !== undefined) {
      const first = { connections: 1, responses: stored.runs ?? 1 };
      const plan = await submissions(stored);
      for (const { port } of Object.values(servers.all)) await load(port, plan, first);
    }
    const rounds = await loadInTurn(bench, servers.all, await figure.plan(), { connections });
    return measures(rounds, figure.measures);
  };
  return { name, about, measure };
}

/** Starts the floor, the service and other bare servers, each with a file of its own. */
async function startSides({ directory }: Bench, bare: LoadFigure["bare"] = {}) {
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
  return named.map(([name, value, goal]) => ({
    name,
    goal,
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
