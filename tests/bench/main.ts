/** `deno task bench`: measures Deskhand beside a minimal baseline, the floor. */
import { parseArgs } from "node:util";
import { type Figure, judge } from "./figure.ts";
import { FIGURES } from "./figures/all.ts";
import { examine, RamDiskError } from "./machine.ts";
import { plot } from "./plot.ts";
import { Loader, MeasurementError, script, start } from "./processes.ts";
import { conclusion, describe, hasMissedGoal, introduction, type Result } from "./report.ts";

const width = Math.max(...FIGURES.map(({ name }) => name.length));
const USAGE = `Usage: deno task bench [flags] [figures]

  --rounds <number>   measured rounds of each side, 1 to 1000 (5)
  --seconds <number>  duration of a round of load, 0.1 to 600 (3)
  --json <path>       file for the numbers of every round (bench.json in the run's directory)
  --plot <path>       file for a picture of the rates (SVG, light and dark)

Measures all figures, or the named ones:

${FIGURES.map(({ name, about }) => `  ${name.padEnd(width)}  ${about}`).join("\n")}

Files are created below BENCH_DIR, by default below the directory for temporary files, which must be
on a disk. All figures take about nine minutes. The exit code is 1 if a figure could not be
measured, and 2 if a goal is not met.`;

class UsageError extends Error {}

function options() {
  const { values, positionals } = parsed();
  const named = positionals.map((name) => {
    const figure = FIGURES.find((figure) => figure.name === name);
    if (figure === undefined) throw new UsageError(`There is no figure '${name}'\n\n${USAGE}`);
    return figure;
  });
  return {
    isHelp: values.help,
    json: values.json,
    plot: values.plot,
    rounds: Math.round(bounded("--rounds", values.rounds, 1, 1000)),
    seconds: bounded("--seconds", values.seconds, 0.1, 600),
    figures: named.length === 0 ? FIGURES : named,
  };
}

function parsed() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        help: { type: "boolean", short: "h", default: false },
        json: { type: "string" },
        plot: { type: "string" },
        rounds: { type: "string", default: "5" },
        seconds: { type: "string", default: "3" },
      },
    });
  } catch {
    throw new UsageError(USAGE);
  }
}

function bounded(flag: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (value >= min && value <= max) return value;
  throw new UsageError(`${flag} must be a number from ${min} to ${max}`);
}

async function run(chosen: ReturnType<typeof options>) {
  const { rounds, seconds, figures, json } = chosen;
  const directory = await Deno.makeTempDir({
    dir: Deno.env.get("BENCH_DIR") || undefined,
    prefix: "deskhand-bench-",
  });
  const machine = await examine(directory).catch(async (error) => {
    await Deno.remove(directory);
    throw error;
  });
  const ceiling = await measureCeiling(seconds);
  console.log(introduction(machine, ceiling));

  const at = new Date().toISOString();
  const path = json ?? `${directory}/bench.json`;
  const results: Result[] = [];
  for (const figure of figures) {
    results.push(await measure(figure, { rounds, seconds, directory }));
    // After each figure, so that an interrupted run leaves its results.
    const report = { at, machine, ceiling, rounds, seconds, results };
    await Deno.writeTextFile(path, `${JSON.stringify(report, null, 2)}\n`);
  }
  if (chosen.plot !== undefined) {
    const caption = "Throughput, as a multiple of a bare server with one commit per request";
    await Deno.writeTextFile(chosen.plot, plot(results, caption));
  }
  console.log(`\n${conclusion(results)}`);
  console.log(`The numbers of every round are in ${path}`);
  if (results.some(hasMissedGoal)) Deno.exitCode = 2;
  if (results.some(({ failure }) => failure !== undefined)) Deno.exitCode = 1;
}

/** Measures the load generator with a server that does nothing. */
async function measureCeiling(seconds: number) {
  await using server = await start(script("floors/static.ts"));
  await using loader = new Loader();
  await loader.open(server.port, 64, { method: "GET", path: "/", headers: {}, status: 200 });
  await loader.run({ seconds: 1 });
  return await loader.run({ seconds });
}

async function measure(
  { name, about, measure }: Figure,
  { directory, ...bench }: { rounds: number; seconds: number; directory: string },
): Promise<Result> {
  console.log(`\n${name}: ${about}`);
  const own = `${directory}/${name}`;
  await Deno.mkdir(own);
  try {
    const measures = await measure({ ...bench, directory: own });
    for (const measure of measures) console.log(describe(measure));
    return { name, measures: measures.map((measure) => ({ ...measure, judged: judge(measure) })) };
  } catch (error) {
    if (!(error instanceof MeasurementError)) throw error;
    console.error(`  FAILED: ${error.message}`);
    return { name, measures: [], failure: error.message };
  } finally {
    await Deno.remove(own, { recursive: true });
  }
}

try {
  const chosen = options();
  if (chosen.isHelp) console.log(USAGE);
  else await run(chosen);
} catch (error) {
  if (!(error instanceof UsageError || error instanceof RamDiskError)) throw error;
  console.error(error.message);
  Deno.exitCode = 1;
}
