/** The printed report of a run. */
import { judge, type Measure, type Subject, type Verdict } from "./figure.ts";
import type { LoadResult } from "./load.ts";
import type { Machine } from "./machine.ts";

export function introduction(machine: Machine, ceiling: LoadResult): string {
  const { cores, processor, system, deno, directory, fileSystem, fsyncMs } = machine;
  return `${cores} cores (${processor}), ${system}, Deno ${deno}
The median fsync of 4 KiB in ${directory} (${fileSystem}) takes ${number(fsyncMs)} ms.
The load generator sends ${
    number(ceiling.perSecond)
  } requests a second to a server that does nothing, \
64 concurrently, and takes ${percent(ceiling.cpu)} of a core.`;
}

/** Describes one measure: both sides, their ratio, and the goals. */
export function describe(measure: Measure): string {
  const { floor, deskhand, ratio, ratios, verdicts } = judge(measure);
  const [first, second] = measure.sides ?? ["floor", "Deskhand"];
  const unit = measure.unit.startsWith("/") ? measure.unit : ` ${measure.unit}`;
  const spread = `${number(Math.min(...ratios))}–${number(Math.max(...ratios))}`;
  const parts = [
    `${first} ${number(floor)}${unit}`,
    `${second} ${number(deskhand)}${unit}`,
    `ratio ${number(ratio)} (${spread})`,
  ];
  if (measure.loads !== undefined) {
    const { loads } = measure;
    parts.push(`load ${busiest(loads.floor)} and ${busiest(loads.deskhand)} of a core`);
  }
  const judged = verdicts.map((verdict) => `\n    ${sentence(verdict, unit)}`).join("");
  return `  ${measure.what}: ${parts.join(", ")}${judged}`;
}

/** A figure as it is written to the file: measured and judged, or why it could not be measured. */
export interface Result {
  name: string;
  measures: (Measure & { judged: ReturnType<typeof judge> })[];
  failure?: string;
}

/** Whether a figure misses one of its goals. */
export function hasMissedGoal({ measures }: Result): boolean {
  return measures.some(({ judged }) => judged.verdicts.some(({ isMet }) => !isMet));
}

/** Returns which figures miss a goal or could not be measured. */
export function conclusion(results: Result[]): string {
  const missed = results.filter(hasMissedGoal).map(({ name }) => name);
  const failed = results.filter(({ failure }) => failure !== undefined).map(({ name }) => name);
  if (missed.length + failed.length === 0) return "Every goal is met.";
  const sentences = [];
  if (missed.length > 0) sentences.push(`Goals not met: ${missed.join(", ")}.`);
  if (failed.length > 0) sentences.push(`Not measured: ${failed.join(", ")}.`);
  return sentences.join(" ");
}

const SUBJECTS: Record<Subject, string> = {
  ratio: "ratio",
  difference: "difference",
  deskhand: "median",
  worst: "largest",
};

function sentence({ subject, bound, value, actual, isMet }: Verdict, unit: string): string {
  const amount = (value: number) => `${number(value)}${subject === "ratio" ? "" : unit}`;
  const goal = `${SUBJECTS[subject]} ${amount(actual)}, goal ${bound} ${amount(value)}`;
  return `${isMet ? "met" : "NOT MET"}: ${goal}`;
}

/** The largest share of a core that one of the loads took. */
function busiest(loads: LoadResult[]): string {
  return percent(Math.max(...loads.map(({ cpu }) => cpu)));
}

/** Formats three significant digits. */
function number(value: number): string {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(3)));
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
