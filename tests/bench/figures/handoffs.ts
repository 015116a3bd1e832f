/** The cost of Deskhand in front of a desk. */
import type { Figure } from "../figure.ts";
import type { LoadResult } from "../load.ts";
import { deskhand, type Launch, Loader, script, type Server, start } from "../processes.ts";
import { deskEnvironment, submissions, tickets } from "../requests.ts";
import { alternate, each, loadInTurn, valuesOf } from "../rounds.ts";

const IN_FLIGHT = 50;
const HANGING = 5000;
const SAMPLE_MS = 100;

interface Wave {
  /** Resident memory of the process in bytes, with all connections open, and at its peak. */
  before: number;
  peak: number;
  result: LoadResult;
}

export const handoffFigures: Figure[] = [
  {
    name: "desk-added",
    about: "what Deskhand adds to a desk that takes 100 ms, 50 in flight",
    async measure(bench) {
      await using desk = await start(script("desks/slow.ts"));
      const concurrency = { SUPPORT_DESK_MAX_CONCURRENCY: String(IN_FLIGHT) };
      const env = { ...deskEnvironment(desk.port), ...concurrency };
      await using service = await start(deskhand(`${bench.directory}/deskhand.kv`, env));
      const rounds = await loadInTurn(bench, { floor: desk, deskhand: service }, {
        connections: IN_FLIGHT,
        floor: tickets(),
        deskhand: await submissions({ isKeyed: true, outcome: "created" }),
      });
      return [{
        what: "median",
        unit: "ms",
        sides: ["the desk alone", "with Deskhand"],
        ...valuesOf(rounds, "p50"),
        goals: [{ subject: "difference", bound: "at most", value: 3 }],
      }];
    },
  },
  {
    name: "hung-desk",
    about: "5,000 concurrent handoffs to a desk that never responds, each time in a new process",
    async measure({ rounds, directory }) {
      await using desk = await start(script("desks/hung.ts"));
      const floor = script("floors/handoff.ts", `http://127.0.0.1:${desk.port}`);
      let files = 0;
      const service = () =>
        deskhand(`${directory}/deskhand-${files++}.kv`, deskEnvironment(desk.port));
      const waves = await alternate(rounds, {
        floor: () => wave(floor),
        deskhand: () => wave(service()),
      });
      return [
        {
          what: "memory of one handoff",
          unit: "KiB",
          ...each(waves, ({ before, peak }) => (peak - before) / HANGING / 1024),
          loads: each(waves, ({ result }) => result),
          goals: [{ subject: "ratio", bound: "at most", value: 1.3 }],
          details: waves,
        },
        {
          what: "peak memory of the process",
          unit: "MiB",
          ...each(waves, ({ peak }) => peak / 1024 / 1024),
          goals: [],
        },
        {
          what: "slowest response",
          unit: "ms",
          ...each(waves, ({ result }) => result.max),
          goals: [{ subject: "worst", bound: "at most", value: 6000 }],
        },
      ];
    },
  },
];

/** One handoff on each of many connections, which are opened before the measurement. */
async function wave(launch: Launch): Promise<Wave> {
  await using server = await start(launch);
  await using loader = new Loader();
  const plan = await submissions({ isKeyed: true, outcome: "failed" });
  await loader.open(server.port, HANGING, plan);
  const before = await residentBytes(server);
  let peak = before;
  const sample = async () => peak = Math.max(peak, await residentBytes(server));
  const sampling = setInterval(sample, SAMPLE_MS);
  try {
    const result = await loader.run({ responses: HANGING });
    await sample();
    return { before, peak, result };
  } finally {
    clearInterval(sampling);
  }
}

async function residentBytes({ pid }: Server): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(status)!;
  return Number(kibibytes) * 1024;
}
