/** A file with many requests beside one with 1,000: nothing but a backup may take longer. */
import { mintToken } from "../../demo/token.ts";
import { type Bench, type Figure, loadInTurn } from "../figures.ts";
import { load, type LoadPlan } from "../load.ts";
import { alternate, each, type Measure, type Rounds } from "../measure.ts";
import { deskhand, type Server, start } from "../processes.ts";
import { AUTH_SECRET, reads, submissions } from "../requests.ts";
import { at, median } from "../statistics.ts";
import { DEEP_TENANT, fill, runsPerTenant, WIDE_TENANTS } from "./fill.ts";
import { maintenanceFigures, residentMiB } from "./maintenance.ts";

const FEW = 1000;
const [WIDE = ""] = WIDE_TENANTS;
/** The runs that both files have. */
const RUNS = runsPerTenant(FEW);
const COLD_CONTEXTS = 20;
const PAGE = 100;

export type Paths = Record<"floor" | "deskhand", string>;

/**
 * Returns the figures of `--records`. The files are in `directory`, and are filled unless they exist.
 */
export function scaleFigures(records: number, directory: string): Figure[] {
  const paths: Paths = {
    floor: `${directory}/${FEW}.kv`,
    deskhand: `${directory}/${records}.kv`,
  };
  return [
    {
      name: "fill",
      about: "the files",
      async measure() {
        const sizes = { floor: 0, deskhand: 0 };
        for (const [side, count] of [["floor", FEW], ["deskhand", records]] as const) {
          if (!await exists(paths[side])) {
            using kv = await Deno.openKv(paths[side]);
            await fill(kv, count);
          }
          sizes[side] = (await Deno.stat(paths[side])).size / count;
        }
        return [once("file, for each request", "bytes", sizes.floor, sizes.deskhand)];
      },
    },
    {
      name: "starts",
      about: "the first responses of a process, with an empty page cache",
      measure: (bench) => starts(paths, bench),
    },
    {
      name: "loads",
      about: "reads and submissions",
      measure: (bench) => loads(paths, bench),
    },
    {
      name: "memory",
      about: "resident memory after 20,000 reads and 5,000 submissions",
      measure: () => memory(paths),
    },
    {
      name: "audit-events",
      about: "every page of a tenant's audit events",
      measure: () => auditEvents(paths),
    },
    ...maintenanceFigures(paths),
  ];
}

/** Returns a measure of one round. */
export function once(name: string, unit: string, floor: number, deskhand: number): Measure {
  return { name, unit, floor: [floor], deskhand: [deskhand] };
}

/** The headers of a person who may do everything in every tenant. */
export async function authorization(): Promise<Record<string, string>> {
  const tenants = [DEEP_TENANT, ...WIDE_TENANTS];
  const token = await mintToken(AUTH_SECRET, { tenants, lifetime: 24 * 60 * 60 });
  return { "Authorization": `Bearer ${token}` };
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/** Empties the page cache, so that reads come from the disk. Without effect unless run by root. */
async function dropCaches(): Promise<void> {
  const script = "sync; echo 3 > /proc/sys/vm/drop_caches";
  await new Deno.Command("sh", { args: ["-c", script], stderr: "null" }).output();
}

async function starts(paths: Paths, { rounds }: Bench): Promise<Measure[]> {
  const headers = await authorization();
  const measure = async (path: string) => {
    await dropCaches();
    const started = performance.now();
    await using server = await start(deskhand(path));
    const get = async (path: string) => {
      const sent = performance.now();
      const plan = { method: "GET", path, headers, status: 200 } as const;
      await load(server.port, plan, { connections: 1, responses: 1 });
      return performance.now() - sent;
    };
    await get("/livez");
    const alive = performance.now() - started;
    await get("/readyz");
    const ready = performance.now() - started;
    const reads: number[] = [];
    for (let i = 0; i < COLD_CONTEXTS; i++) {
      await dropCaches();
      const run = String(i * 37 % RUNS).padStart(5, "0");
      reads.push(await get(`/v1/tenants/${WIDE}/runs/r-${run}/support-requests/latest`));
    }
    return { alive, ready, read: median(reads) };
  };
  const results = await alternate(rounds, {
    floor: () => measure(paths.floor),
    deskhand: () => measure(paths.deskhand),
  });
  const row = (name: string, value: (round: typeof results.floor[0]) => number): Measure => ({
    name,
    unit: "ms",
    ...each(results, value),
  });
  return [
    row("first /livez after a start", ({ alive }) => alive),
    row("first /readyz after a start", ({ ready }) => ready),
    row("latest of a context, page cache empty", ({ read }) => read),
  ];
}

async function loads(paths: Paths, bench: Bench): Promise<Measure[]> {
  await using floor = await start(deskhand(paths.floor));
  await using service = await start(deskhand(paths.deskhand));
  const headers = await authorization();
  const wide = (plan: LoadPlan) => ({ ...plan, headers, path: plan.path.replace("acme", WIDE) });
  const keyed = await submissions({ isKeyed: true });
  const keyedInRuns = wide(await submissions({ isKeyed: true, runs: RUNS }));
  const plans: [name: string, plan: LoadPlan, connections: number][] = [
    [`latest of ${RUNS} contexts, 64 concurrent`, wide(await reads(RUNS)), 64],
    ["latest of the deepest context, one at a time", await reads(), 1],
    ["submissions in the deepest context", keyed, 64],
    ["the same without idempotency keys", await submissions(), 64],
    [`submissions in ${RUNS} contexts`, keyedInRuns, 64],
    ["one submission at a time", keyed, 1],
  ];
  const measures: Measure[] = [];
  for (const [name, plan, connections] of plans) {
    const sides = { floor, deskhand: service };
    const rounds = await loadInTurn(bench, sides, plan, { connections });
    const values: [unit: string, values: Rounds<number>] = connections === 1
      ? ["ms", each(rounds, ({ p50 }) => p50)]
      : ["/s", each(rounds, ({ perSecond }) => perSecond)];
    measures.push({ name, unit: values[0], ...values[1] });
  }
  return measures;
}

/** The memory of a new process after the same number of responses. */
async function memory(paths: Paths): Promise<Measure[]> {
  const after = async (path: string) => {
    await using server = await start(deskhand(path));
    await load(server.port, await reads(), { connections: 64, responses: 20_000 });
    const plan = await submissions({ isKeyed: true });
    await load(server.port, plan, { connections: 64, responses: 5_000 });
    return await residentMiB(server);
  };
  const name = "memory after 25,000 responses";
  return [once(name, "MiB", await after(paths.floor), await after(paths.deskhand))];
}

async function auditEvents(paths: Paths): Promise<Measure[]> {
  const few = await pageTimes(paths.floor);
  const many = await pageTimes(paths.deskhand);
  const sorted = (times: number[]) => times.toSorted((a, b) => a - b);
  const row = (which: string, few: number, many: number) =>
    once(`page of audit events, ${which}`, "ms", few, many);
  return [
    once(`pages of ${PAGE} audit events`, "pages", few.length, many.length),
    row("of the first 100", median(few), median(many.slice(0, 100))),
    row("of the last 100", median(few), median(many.slice(-100))),
    row("99th percentile", at(sorted(few), 0.99), at(sorted(many), 0.99)),
  ];
}

/** Returns the milliseconds that each page took, from the first to the last. */
async function pageTimes(path: string): Promise<number[]> {
  const headers = await authorization();
  await using server: Server = await start(deskhand(path));
  const url =
    `http://127.0.0.1:${server.port}/v1/tenants/${DEEP_TENANT}/audit-events?limit=${PAGE}`;
  const times: number[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    const sent = performance.now();
    const page: Response = await fetch(cursor && `${url}&cursor=${cursor}` || url, { headers });
    cursor = (await page.json()).nextCursor as string | null;
    times.push(performance.now() - sent);
  }
  return times;
}
