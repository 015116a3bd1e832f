/** The recorded ratios, and the comparison of a run with them. */
import type { Machine } from "./machine.ts";
import { judge, type Judged, type Measure } from "./measure.ts";

/** Shared machines let ratios vary by half from run to run, so that less than this shows nothing. */
const MAX_LOSS = 0.3;
/** Fewer rounds do not show how much the ratios vary. */
export const MIN_ROUNDS = 5;

export interface Recorded {
  at: string;
  machine: Machine;
  rounds: number;
  seconds: number;
  measures: Record<string, Judged & Pick<Measure, "unit" | "goal" | "cpu">>;
}

/** Returns what a run records. */
export function toRecorded(run: Omit<Recorded, "measures">, measures: Measure[]): Recorded {
  const entries = measures.map(({ name, unit, goal, cpu = 0, ...rounds }) =>
    [name, { unit, goal, ...rounded({ ...judge(rounds), cpu }) }] as const
  );
  return { ...run, measures: Object.fromEntries(entries) };
}

/** Three significant digits, so that a new record changes no digit that means nothing. */
function rounded<T extends object>(values: T): T {
  const entries = Object.entries(values).map(([name, value]) => [name, +value.toPrecision(3)]);
  return Object.fromEntries(entries);
}

/** A measure whose ratio is worse than the recorded one. */
export interface Loss {
  name: string;
  recorded: number;
  ratio: number;
  /** 0.3 for a rate that fell by 30 %, or for a duration that grew until it has 70 % of the speed. */
  loss: number;
}

/** Returns the measures that fell by more than 30 % of their recorded ratio, the worst first. */
export function losses(measures: Measure[], recorded: Recorded): Loss[] {
  return measures.flatMap((measure): Loss[] => {
    const before = recorded.measures[measure.name];
    if (before === undefined) return [];
    const { ratio } = judge(measure);
    const speed = measure.unit === "/s" ? ratio / before.ratio : before.ratio / ratio;
    const loss = 1 - speed;
    return loss > MAX_LOSS ? [{ name: measure.name, recorded: before.ratio, ratio, loss }] : [];
  }).sort((a, b) => b.loss - a.loss);
}

/** Returns the verdict of `--check`, in words. */
export function verdict(lost: Loss[], { at, machine, rounds }: Recorded): string {
  const { processor, cores, fsyncMs } = machine;
  const where = `recorded ${at.slice(0, 10)} on ${cores} cores (${processor}), fsync ${fsyncMs} ms`;
  if (lost.length === 0) {
    return `No ratio fell by more than ${MAX_LOSS * 100} % (${where}, ${rounds} rounds)`;
  }
  const lines = lost.map(({ name, recorded, ratio, loss }) =>
    `  ${name}: ${ratio.toFixed(2)} instead of ${recorded.toFixed(2)}, ${
      Math.round(loss * 100)
    } % slower`
  );
  return `Fell by more than ${MAX_LOSS * 100} % (${where}, ${rounds} rounds):\n${lines.join("\n")}`;
}
