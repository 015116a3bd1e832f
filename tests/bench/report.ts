/** The printed report of a run: a table in Markdown, with one line for each measure. */
import type { Machine } from "./machine.ts";
import { judge, type Measure } from "./measure.ts";
import type { Recorded } from "./recorded.ts";

const WIDTHS = [46, 10, 10, 5, 14, 8, 8, 28];

/** Describes the machine. */
export function introduction(machine: Machine): string {
  const { cores, processor, system, deno, fsyncMs, isRamDisk } = machine;
  return `${cores} cores (${processor}), ${system}, Deno ${deno}, load ${number(Deno.loadavg()[0]!)}
fsync of 4 KiB: ${fsyncMs} ms${isRamDisk ? ". This is a RAM disk: set BENCH_DIR to a disk" : ""}`;
}

/** Returns the head of the table. */
export function tableHead(sides: string[]): string {
  const heads = ["figure", ...sides, "ratio", "lowest–highest", "goal", "recorded", ""];
  return `${line(heads)}\n${line(WIDTHS.map((width) => "-".repeat(width)))}`;
}

/** Returns the line of one measure. */
export function tableLine(measure: Measure, recorded: Recorded): string {
  const { name, unit, goal, cpu } = measure;
  const { floor, deskhand, ratio, lowest, highest } = judge(measure);
  const value = (value: number) => `${number(value)}${unit === "/s" ? unit : ` ${unit}`}`;
  return line([
    name,
    value(floor),
    value(deskhand),
    ratio.toFixed(2),
    `${lowest.toFixed(2)}–${highest.toFixed(2)}`,
    goal === undefined ? "" : `${unit === "/s" ? "≥" : "≤"} ${goal}`,
    recorded.measures[name]?.ratio.toFixed(2) ?? "",
    // A load generator that needs most of a core may have been the limit.
    cpu === undefined ? "" : `load generator ${Math.round(cpu * 100)} %`,
  ]);
}

function line(cells: string[]): string {
  return `| ${cells.map((cell, i) => cell.padEnd(WIDTHS[i]!)).join(" | ")} |`;
}

/** Formats three significant digits. */
function number(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(3)));
}
