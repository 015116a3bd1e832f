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

/** Describes the measures that fell by more than 30 % of their recorded ratio, the worst first. */
export function losses(measures: Measure[], { measures: recorded }: Recorded): string[] {
  const lost = measures.flatMap((measure) => {
    const { name, unit } = measure;
    const before = recorded[name]?.ratio;
    if (before === undefined) return [];
    const { ratio } = judge(measure);
    // 0.3 for a rate that fell by 30 %, or for a duration that grew until it has 70 % of the speed.
    const loss = 1 - (unit === "/s" ? ratio / before : before / ratio);
    const percent = Math.round(loss * 100);
    const line = `${name}: ${ratio.toFixed(2)} instead of ${
      before.toFixed(2)
    }, ${percent} % slower`;
    return loss > MAX_LOSS ? [{ loss, line }] : [];
  });
  return lost.sort((a, b) => b.loss - a.loss).map(({ line }) => line);
}

/** Returns the verdict of `--check`, in words. */
export function verdict(lost: string[], { at, machine, rounds }: Recorded): string {
  const { processor, cores, fsyncMs } = machine;
  const where = `recorded ${at.slice(0, 10)} on ${cores} cores (${processor}), fsync ${fsyncMs} ms`;
  const what = `by more than ${MAX_LOSS * 100} % (${where}, ${rounds} rounds)`;
  return lost.length === 0 ? `No ratio fell ${what}` : [`Fell ${what}:`, ...lost].join("\n  ");
}
