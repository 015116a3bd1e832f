/** What an operator and KV do to the files: a backup, expiry, an erasure. */
import { DatabaseSync } from "node:sqlite";
import guide from "../../../config/deploy/README.md" with { type: "text" };
import { command, taskCommand } from "../../support/process.ts";
import { waitFor } from "../../support/wait_for.ts";
import type { Figure } from "../figures.ts";
import type { Measure } from "../measure.ts";
import { load } from "../load.ts";
import { deskhand, type Server, start } from "../processes.ts";
import { AUTH_SECRET, submissions } from "../requests.ts";
import { at } from "../statistics.ts";
import { authorization, once, type Paths } from "./figures.ts";
import { DEEP_TENANT } from "./fill.ts";

/** The SQL of the backup command in the deployment guide. */
const BACKUP_SQL = /sqlite3 requests\.kv "([^"]+)"/.exec(guide)![1]!;
const CALL_INTERVAL_MS = 20;
const START_TIMEOUT_MS = 600_000;

export function maintenanceFigures(paths: Paths): Figure[] {
  return [
    {
      name: "backup",
      about: "a backup as the deployment guide describes it, while the service works",
      async measure() {
        const few = await backup(paths.floor);
        const many = await backup(paths.deskhand);
        return [once("backup", "s", few.seconds, many.seconds), ...calls("backup", few, many)];
      },
    },
    {
      name: "expiry",
      about: "half of all records expire that were stored within a minute: the first of 60 parts",
      async measure() {
        const few = await expiry(paths.floor);
        const many = await expiry(paths.deskhand);
        return [
          once("records that KV removes together", "records", few.expired, many.expired),
          ...calls("their removal", few, many),
        ];
      },
    },
    {
      name: "expired-start",
      about: "the start of a service that was stopped while half of all records expired",
      async measure() {
        const few = await expiredStart(paths.floor);
        const many = await expiredStart(paths.deskhand);
        return [once("first submission after half expired", "s", few, many)];
      },
    },
    {
      name: "erase",
      about: "deno task erase for a tenant with a tenth of the requests",
      async measure() {
        const few = await erase(paths.floor);
        const many = await erase(paths.deskhand);
        return [
          once("deno task erase for a tenth", "s", few.seconds, many.seconds),
          once("its peak memory", "MiB", few.peak, many.peak),
        ];
      },
    },
  ];
}

interface Calls {
  p99: number;
  max: number;
  failed: number;
}

function calls(during: string, few: Calls, many: Calls): Measure[] {
  return [
    once(`calls during ${during}, 99th percentile`, "ms", few.p99, many.p99),
    once(`calls during ${during}, slowest`, "ms", few.max, many.max),
    once(`calls during ${during}, failed`, "calls", few.failed, many.failed),
  ];
}

/** Submits and reads at a steady rate until `work` is done. */
async function callDuring(server: Server, work: Promise<unknown>): Promise<Calls> {
  const { body, path } = await submissions();
  const url = `http://127.0.0.1:${server.port}${path}`;
  const headers = { ...await authorization(), "Content-Type": "application/json" };
  const post = { method: "POST", headers, body: JSON.stringify(body) };
  const times: number[] = [];
  let failed = 0;
  const call = async (url: string, init: RequestInit) => {
    const sent = performance.now();
    const response = await fetch(url, init);
    await response.body?.cancel();
    times.push(performance.now() - sent);
    if (!response.ok) failed++;
  };
  const started: Promise<void>[] = [];
  const timer = setInterval(() => {
    started.push(call(url, post), call(`${url}/latest`, { headers }));
  }, CALL_INTERVAL_MS);
  await work.finally(() => clearInterval(timer));
  await Promise.all(started);
  const sorted = times.sort((a, b) => a - b);
  return { p99: at(sorted, 0.99), max: at(sorted, 1), failed };
}

async function backup(path: string) {
  await using server = await start(deskhand(path));
  const started = performance.now();
  const sql = BACKUP_SQL.replace("copy.kv", `${path}.copy`);
  const copying = new Deno.Command("sqlite3", { args: [path, sql] }).output().then(({ code }) => {
    if (code !== 0) throw new Error(`sqlite3 failed with ${code}`);
    return (performance.now() - started) / 1000;
  });
  const calls = await callDuring(server, copying);
  await Deno.remove(`${path}.copy`);
  return { seconds: await copying, ...calls };
}

async function expiry(path: string) {
  await using copy = await copyOf(path);
  // After the service has started.
  const at = Date.now() + 30_000;
  // `removalTime` spreads the half over an hour, and KV removes expired records every minute.
  const expired = expire(copy.path, 0.5 / 60, at);
  await using server = await start(deskhand(copy.path));
  return { expired, ...await callDuring(server, swept(copy.path, at)) };
}

async function expiredStart(path: string): Promise<number> {
  await using copy = await copyOf(path);
  expire(copy.path, 0.5, Date.now());
  const started = performance.now();
  await using server = await start(deskhand(copy.path));
  const plan = await submissions();
  const isStored = () =>
    load(server.port, plan, { connections: 1, responses: 1 }).then(() => true, () => false);
  await waitFor("KV has removed what expired", isStored, Boolean, { timeoutMs: START_TIMEOUT_MS });
  return (performance.now() - started) / 1000;
}

/** Sets what `expireIn` sets, for the oldest records. Returns their number. */
function expire(path: string, share: number, at: number): number {
  using database = new DatabaseSync(path);
  const { count } = database.prepare("SELECT COUNT(*) AS count FROM kv").get()!;
  const { version } = database.prepare("SELECT version FROM kv ORDER BY version LIMIT 1 OFFSET ?")
    .get(Math.floor(Number(count) * share))!;
  const update = database.prepare("UPDATE kv SET expiration_ms = ? WHERE version < ?");
  return Number(update.run(at, version!).changes);
}

/** Resolves once KV has removed the records that expire at a time. */
async function swept(path: string, at: number): Promise<void> {
  using database = new DatabaseSync(path, { readOnly: true });
  const query = database.prepare(
    "SELECT 1 FROM kv WHERE expiration_ms BETWEEN 0 AND ? LIMIT 1",
  );
  while (query.get(at) !== undefined) await new Promise((done) => setTimeout(done, 200));
}

async function erase(path: string) {
  await using copy = await copyOf(path);
  const started = performance.now();
  const child = command({
    command: [...taskCommand("erase:run", copy.path), "--tenant", DEEP_TENANT, "--yes"],
    env: { AUTH_SECRET, KV_PATH: copy.path },
  }, { stdout: "null", stderr: "inherit" }).spawn();
  let peak = 0;
  const sampling = setInterval(async () => {
    peak = Math.max(peak, await residentMiB(child).catch(() => 0));
  }, 100);
  const { code } = await child.status;
  clearInterval(sampling);
  if (code !== 0) throw new Error(`deno task erase failed with ${code}`);
  return { seconds: (performance.now() - started) / 1000, peak };
}

/** Returns the resident memory of a process, in MiB. */
export async function residentMiB({ pid }: Pick<Server, "pid">): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) / 1024;
}

/** Copies a file that no process has open, with what its write-ahead log still has. */
async function copyOf(path: string): Promise<{ path: string } & AsyncDisposable> {
  const copy = `${path}.copy`;
  const remove = async () => {
    const files = ["", "-wal", "-shm", ".lock"].map((end) => copy + end);
    for (const file of files) await Deno.remove(file).catch(() => {});
  };
  await Deno.copyFile(path, copy);
  await Deno.copyFile(`${path}-wal`, `${copy}-wal`).catch(() => {});
  return { path: copy, [Symbol.asyncDispose]: remove };
}
