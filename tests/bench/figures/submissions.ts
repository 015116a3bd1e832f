/** Submissions per second, beside one commit for each submission. */
import type { Bench, Figure, Goal } from "../figure.ts";
import { deskhand, script, start } from "../processes.ts";
import { type SubmissionOptions, submissions } from "../requests.ts";
import { loadInTurn, valuesOf } from "../rounds.ts";

const CONNECTIONS = 64;
const RUNS = 1000;

const perSecond = (value: number): Goal => ({ subject: "ratio", bound: "at least", value });
const latency = (value: number): Goal => ({ subject: "ratio", bound: "at most", value });

export const submissionFigures: Figure[] = [
  {
    name: "submissions",
    about: "64 concurrent in one tenant, each with a new key",
    async measure(bench) {
      const rounds = await submitInTurn(bench, CONNECTIONS, { isKeyed: true });
      return [
        {
          what: "submissions",
          unit: "/s",
          ...valuesOf(rounds, "perSecond"),
          goals: [perSecond(3)],
        },
        { what: "99th percentile", unit: "ms", ...valuesOf(rounds, "p99"), goals: [latency(0.5)] },
      ];
    },
  },
  rate("submissions-ordered", "64 concurrent in one tenant, each with a new key in order of time", {
    isKeyed: true,
    isOrdered: true,
  }, 3),
  rate("submissions-no-key", "64 concurrent in one tenant, without keys", {}, 3.5),
  rate("runs", "64 concurrent in 1,000 runs in turn, each with a new key", {
    isKeyed: true,
    runs: RUNS,
  }, 1.8),
  rate("replays", "64 concurrent in one tenant, one of a hundred a retry", {
    isKeyed: true,
    repeatEvery: 100,
  }, 2.5),
  {
    name: "one-at-a-time",
    about: "one submission at a time, each with a new key",
    async measure(bench) {
      const rounds = await submitInTurn(bench, 1, { isKeyed: true });
      return [{ what: "median", unit: "ms", ...valuesOf(rounds, "p50"), goals: [latency(1.25)] }];
    },
  },
];

function rate(name: string, about: string, options: SubmissionOptions, goal: number): Figure {
  return {
    name,
    about,
    async measure(bench) {
      const rounds = await submitInTurn(bench, CONNECTIONS, options);
      const values = valuesOf(rounds, "perSecond");
      return [{ what: "submissions", unit: "/s", ...values, goals: [perSecond(goal)] }];
    },
  };
}

async function submitInTurn(bench: Bench, connections: number, options: SubmissionOptions) {
  const plan = await submissions(options);
  await using floor = await start(script("floors/store.ts", `${bench.directory}/floor.kv`));
  await using service = await start(deskhand(`${bench.directory}/deskhand.kv`));
  const loads = { connections, floor: plan, deskhand: plan };
  return await loadInTurn(bench, { floor, deskhand: service }, loads);
}
