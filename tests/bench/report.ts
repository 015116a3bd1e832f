/** The report of a run: tables in Markdown, with one line for each measure. */
import type { Machine } from "./machine.ts";
import { judge, type Judged, type Measure } from "./measure.ts";
import type { Recorded } from "./recorded.ts";

const WIDTHS = [46, 10, 10, 5, 14, 7, 12, 8, 8, 28];
const SIDES = ["floor", "Deskhand"];
/** What `--record` replaces in the top-level README. */
const BLOCK = /(?<=<!-- recorded -->\n)[^]*(?=<!-- \/recorded -->)/;

/** Describes the machine. */
export function introduction(machine: Machine): string {
  const { cores, processor, system, deno, fsyncMs, isRamDisk } = machine;
  return `${cores} cores (${processor}), ${system}, Deno ${deno}, load ${number(Deno.loadavg()[0]!)}
fsync of 4 KiB: ${fsyncMs} ms${isRamDisk ? ". This is a RAM disk: set BENCH_DIR to a disk" : ""}`;
}

/** Returns the head of the printed table. */
export function tableHead(sides = SIDES): string {
  return `${line([...heads(sides), "goal", "recorded", ""])}\n${
    line(WIDTHS.map((width) => "-".repeat(width)))
  }`;
}

/** Returns the line of one measure in the printed table. */
export function tableLine(measure: Measure, recorded: Recorded): string {
  const { name, unit, goal, cpu } = measure;
  return line([
    ...cells(name, { unit, ...judge(measure) }),
    goal === undefined ? "" : `${unit === "/s" ? "≥" : "≤"} ${goal}`,
    recorded.measures[name]?.ratio.toFixed(2) ?? "",
    // A load generator that needs most of a core may have been the limit.
    cpu === undefined ? "" : `load generator ${Math.round(cpu * 100)} %`,
  ]);
}

/** Returns the README with the recorded run. */
export function withRecord(readme: string, { machine, rounds, seconds, measures }: Recorded) {
  const rows = Object.entries(measures).map(([name, measure]) => cells(name, measure));
  const head = heads(SIDES);
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => row[i]!.length)));
  const dashes = widths.map((width) => "-".repeat(width));
  const table = [head, dashes, ...rows].map((row) => line(row, widths)).join("\n");
  const { cores, fsyncMs, deno } = machine;
  const run =
    `Medians of ${rounds} rounds of ${seconds} s on ${cores} cores, ${fsyncMs} ms per fsync`;
  return readme.replace(BLOCK, `\n${run}, Deno ${deno}:\n\n${table}\n\n`);
}

function heads(sides: string[]): string[] {
  return ["figure", ...sides, "ratio", "lowest–highest", "ceiling", "equal duties"];
}

function cells(name: string, judged: Judged & Pick<Measure, "unit">): string[] {
  const { unit, floor, deskhand, ratio, lowest, highest, ceiling, duties } = judged;
  const value = (value: number) => `${number(value)}${unit === "/s" ? unit : ` ${unit}`}`;
  const range = `${lowest.toFixed(2)}–${highest.toFixed(2)}`;
  const bare = [ceiling, duties].map((ratio) => ratio?.toFixed(2) ?? "");
  return [name, value(floor), value(deskhand), ratio.toFixed(2), range, ...bare];
}

function line(cells: string[], widths = WIDTHS): string {
  return `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
}

/** Formats three significant digits. */
export function number(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(3)));
}
