import { freePort } from "../../support/raw_server.ts";
import { waitFor } from "../../support/wait_for.ts";
import type { Figure } from "../figure.ts";
import { Load, type LoadPlan } from "../load.ts";
import { command, deskhand, kill, type Launch, script } from "../processes.ts";
import { reads } from "../requests.ts";
import { alternate, each } from "../rounds.ts";

const MIN_STARTS = 10;
const INTERVAL_MS = 1;
const TIMEOUT_MS = 30_000;
const LIVEZ: LoadPlan = { method: "GET", path: "/livez", headers: {}, status: 200 };

/** The time from the start of a process to its first response. */
export const coldStart: Figure = {
  name: "cold-start",
  about: "the first responses of a process, at least ten times",
  async measure({ rounds, directory }) {
    const latest = await reads();
    const port = freePort();
    const launches = {
      floor: script("floors/app.ts", String(port)),
      deskhand: deskhand(`${directory}/deskhand.kv`, { PORT: String(port) }),
    };
    const starts = await alternate(Math.max(rounds, MIN_STARTS), {
      floor: () => firstResponses(launches.floor, port, latest),
      deskhand: () => firstResponses(launches.deskhand, port, latest),
    });
    return [
      {
        what: "first response",
        unit: "ms",
        ...each(starts, ({ alive }) => alive),
        goals: [{ subject: "ratio", bound: "at most", value: 2.6 }],
      },
      {
        what: "first read of the latest request",
        unit: "ms",
        ...each(starts, ({ latest }) => latest),
        goals: [],
      },
    ];
  },
};

/** Milliseconds from the start of a process to its first response, and to one from its store. */
async function firstResponses(launch: Launch, port: number, latest: LoadPlan) {
  const { executable, ...options } = command(launch);
  const started = performance.now();
  const child = new Deno.Command(executable, { ...options, stdin: "null", stdout: "null" }).spawn();
  try {
    await call(port, LIVEZ);
    const alive = performance.now() - started;
    await call(port, latest);
    return { alive, latest: performance.now() - started };
  } finally {
    await kill(child);
  }
}

async function call(port: number, plan: LoadPlan): Promise<void> {
  const load = await waitFor(
    "the server listens",
    () => Load.open(port, 1, plan).catch(nullIfRefused),
    (load) => load !== null,
    { timeoutMs: TIMEOUT_MS, intervalMs: INTERVAL_MS },
  );
  if (load === null) return;
  await load.run({ responses: 1 });
  load.close();
}

function nullIfRefused(error: unknown): null {
  if (error instanceof Deno.errors.ConnectionRefused) return null;
  throw error;
}
