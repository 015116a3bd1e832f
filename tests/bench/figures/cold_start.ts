import { freePort } from "../../support/raw_server.ts";
import type { Figure } from "../figure.ts";
import { Load, type LoadPlan } from "../load.ts";
import { command, deskhand, kill, type Launch, script } from "../processes.ts";
import { reads } from "../requests.ts";
import { alternate, each } from "../rounds.ts";

const LEAST_STARTS = 10;
const PAUSE_MS = 1;
const GIVE_UP_MS = 30_000;
const LIVEZ: LoadPlan = { method: "GET", path: "/livez", headers: {}, status: 200 };

/** How long after its start a process answers. */
export const coldStart: Figure = {
  name: "cold-start",
  about: "the first answers of a process, at least ten times",
  async measure({ rounds, directory }) {
    const latest = await reads();
    const port = freePort();
    const launches = {
      floor: script("floors/app.ts", String(port)),
      deskhand: deskhand(`${directory}/deskhand.kv`, { PORT: String(port) }),
    };
    const starts = await alternate(Math.max(rounds, LEAST_STARTS), {
      floor: () => firstAnswers(launches.floor, port, latest),
      deskhand: () => firstAnswers(launches.deskhand, port, latest),
    });
    return [
      {
        what: "first answer",
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

/** Milliseconds from the start of a process to its first answer, and to one from its store. */
async function firstAnswers(launch: Launch, port: number, latest: LoadPlan) {
  const { executable, ...options } = command(launch);
  const started = performance.now();
  const child = new Deno.Command(executable, { ...options, stdin: "null", stdout: "null" }).spawn();
  try {
    await ask(port, LIVEZ, started);
    const alive = performance.now() - started;
    await ask(port, latest, started);
    return { alive, latest: performance.now() - started };
  } finally {
    await kill(child);
  }
}

async function ask(port: number, plan: LoadPlan, started: number): Promise<void> {
  const load = await whenListening(() => Load.open(port, 1, plan), started);
  await load.run({ answers: 1 });
  load.close();
}

async function whenListening<T>(connect: () => Promise<T>, started: number): Promise<T> {
  for (;;) {
    try {
      return await connect();
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
      if (performance.now() - started > GIVE_UP_MS) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}
