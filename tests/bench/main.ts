/** `deno task bench`: measures Deskhand beside a minimal server, the floor. */
import { parseArgs } from "node:util";
import { type Figure, FIGURES } from "./figures.ts";
import { examine } from "./machine.ts";
import type { Measure } from "./measure.ts";
import { plot } from "./plot.ts";
import record from "./recorded.json" with { type: "json" };
import { losses, MIN_ROUNDS, type Recorded, toRecorded, verdict } from "./recorded.ts";
import { introduction, tableHead, tableLine, withRecord } from "./report.ts";
import { scaleFigures } from "./scale/figures.ts";

const recorded: Recorded = record;
const RECORD = new URL("recorded.json", import.meta.url);
const README = new URL("../../README.md", import.meta.url);
const PICTURE = new URL("../../.github/images/throughput.svg", import.meta.url);
const USAGE = `Usage: deno task bench [flags] [figures]

  --rounds <number>   measured rounds of each side, 1 to 1000 (5)
  --seconds <number>  duration of a round of load, 0.1 to 600 (3)
  --check             exit with 1 if a ratio is more than 30 % worse than the recorded one
  --record            record the run, and show it in README.md
  --plot              only show the recorded run in README.md
  --records <number>  measure a file with so many requests beside one with 1,000
  --files <path>      folder of the files of --records, which are kept and used again

Measures all figures, which takes about eight minutes, or the named ones:

${describe(FIGURES)}

With --records, which takes about 20 minutes for a million and 8 KB of disk for each:

${describe(scaleFigures(0, ""))}

Creates its files below BENCH_DIR, by default below the directory for temporary files. Run it as root
with --records, so that it can empty the page cache.`;

class UsageError extends Error {}

function describe(figures: Figure[]): string {
  return figures.map(({ name, about }) => `  ${name.padEnd(19)}  ${about}`).join("\n");
}

function parse() {
  const flag = { type: "boolean", default: false } as const;
  const text = { type: "string" } as const;
  const options = {
    ...{ check: flag, record: flag, plot: flag, help: { ...flag, short: "h" } },
    ...{ rounds: { ...text, default: "5" }, seconds: { ...text, default: "3" } },
    ...{ records: text, files: text },
  };
  try {
    return parseArgs({ allowPositionals: true, options });
  } catch {
    throw new UsageError(USAGE);
  }
}

function bounded(flag: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (value >= min && value <= max) return value;
  throw new UsageError(`${flag} must be a number from ${min} to ${max}`);
}

/** Returns the figures with these names, or all. */
function named(figures: Figure[], names: string[]): Figure[] {
  const unknown = names.find((name) => figures.every((figure) => figure.name !== name));
  if (unknown !== undefined) throw new UsageError(`There is no figure '${unknown}'\n\n${USAGE}`);
  return names.length === 0 ? figures : figures.filter(({ name }) => names.includes(name));
}

async function run({ values, positionals }: ReturnType<typeof parse>): Promise<void> {
  const { check, record, files } = values;
  const rounds = Math.round(bounded("--rounds", values.rounds, 1, 1000));
  const seconds = bounded("--seconds", values.seconds, 0.1, 600);
  if ((check || record) && (rounds < MIN_ROUNDS || values.records !== undefined)) {
    throw new UsageError(`--check and --record need at least ${MIN_ROUNDS} rounds, and the floor`);
  }
  if (record && positionals.length > 0) {
    throw new UsageError("--record needs all figures, so that one run on one machine is recorded");
  }
  const dir = Deno.env.get("BENCH_DIR") || undefined;
  const directory = await Deno.makeTempDir({ dir, prefix: "deskhand-bench-" });
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => Deno.remove(directory, { recursive: true }));
  const records = values.records && bounded("--records", values.records, 1000, 1e8);
  const all = records ? scaleFigures(records, files ?? directory) : FIGURES;
  const isFilling = records && positionals.length > 0;
  const figures = named(all, isFilling ? ["fill", ...positionals] : positionals);
  const machine = await examine(directory);
  if (machine.isRamDisk && (check || record)) throw new UsageError("Set BENCH_DIR to a disk");
  console.log(introduction(machine));
  console.log(tableHead(records && ["1,000", records.toLocaleString("en")] || undefined));
  const measures: Measure[] = [];
  for (const { name, measure } of figures) {
    const own = `${directory}/${name}`;
    await Deno.mkdir(own);
    for (const measured of await measure({ rounds, seconds, directory: own })) {
      console.log(tableLine(measured, recorded));
      measures.push(measured);
    }
  }
  if (check) {
    const lost = losses(measures, recorded);
    console.log(`\n${verdict(lost, recorded)}`);
    if (lost.length > 0) Deno.exitCode = 1;
  }
  if (record) {
    const at = new Date().toISOString();
    const run = toRecorded({ at, machine, rounds, seconds }, measures);
    await Deno.writeTextFile(RECORD, `${JSON.stringify(run, null, 2)}\n`);
    await show(run);
  }
}

async function show(recorded: Recorded): Promise<void> {
  await Deno.writeTextFile(PICTURE, plot(recorded));
  await Deno.writeTextFile(README, withRecord(await Deno.readTextFile(README), recorded));
}

try {
  const flags = parse();
  if (flags.values.help) console.log(USAGE);
  else if (flags.values.plot) await show(recorded);
  else await run(flags);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  Deno.exitCode = 1;
}
