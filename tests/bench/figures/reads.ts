/** Reads per second, beside one `kv.list` for each read. */
import type { Bench, Figure, Goal } from "../figure.ts";
import { deskhand, script, type Server, start } from "../processes.ts";
import { reads, submissions } from "../requests.ts";
import { loadInTurn, prepare, valuesOf } from "../rounds.ts";

const CONNECTIONS = 64;
const RUNS = 1000;
const DEEP = 100_000;

const atLeast = (value: number): Goal => ({ subject: "ratio", bound: "at least", value });

export const readFigures: Figure[] = [
  {
    name: "latest",
    about: "64 concurrent read the latest request of one tenant",
    measure: (bench) => readInTurn(bench, undefined, atLeast(1.4)),
  },
  {
    name: "latest-contexts",
    about: "64 concurrent read the latest requests of 1,000 runs in turn",
    measure: (bench) => readInTurn(bench, RUNS, atLeast(0.9)),
  },
  {
    name: "deep-context",
    about: "one read at a time where there are 100,000 requests, against where there is one",
    async measure(bench) {
      await using shallow = await start(deskhand(`${bench.directory}/shallow.kv`));
      await using deep = await start(deskhand(`${bench.directory}/deep.kv`));
      const plan = await submissions();
      await prepare(shallow, plan, 1);
      await prepare(deep, plan, DEEP);
      const rounds = await readBoth(bench, { floor: shallow, deskhand: deep }, 1);
      return [{
        what: "median",
        unit: "ms",
        sides: ["one request", "100,000 requests"],
        ...valuesOf(rounds, "p50"),
        goals: [{ subject: "ratio", bound: "at most", value: 1.2 }],
      }];
    },
  },
];

async function readInTurn(bench: Bench, runs: number | undefined, goal: Goal) {
  await using floor = await start(script("floors/store.ts", `${bench.directory}/floor.kv`));
  await using service = await start(deskhand(`${bench.directory}/deskhand.kv`));
  const plan = await submissions({ ...runs !== undefined && { runs } });
  await prepare(floor, plan, runs ?? 1);
  await prepare(service, plan, runs ?? 1);
  const rounds = await readBoth(bench, { floor, deskhand: service }, CONNECTIONS, runs);
  return [{ what: "reads", unit: "/s", ...valuesOf(rounds, "perSecond"), goals: [goal] }];
}

async function readBoth(
  bench: Bench,
  servers: { floor: Server; deskhand: Server },
  connections: number,
  runs?: number,
) {
  const plan = await reads(runs);
  return await loadInTurn(bench, servers, { connections, floor: plan, deskhand: plan });
}
