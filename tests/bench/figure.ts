/** A figure: something measured of two sides, and what Deskhand's must be. */
import type { LoadResult } from "./load.ts";
import { median } from "./statistics.ts";

export interface Bench {
  /** Rounds of each side that count. */
  rounds: number;
  /** How long a round of load takes. */
  seconds: number;
  /** A directory of the figure's own, on the disk that was examined. */
  directory: string;
}

export interface Figure {
  name: string;
  /** What is measured, in one line. */
  about: string;
  measure(bench: Bench): Promise<Measure[]>;
}

/** What a goal is about. */
export type Subject =
  | "ratio" // of Deskhand's median to the floor's
  | "difference" // of the same
  | "deskhand" // its median
  | "worst"; // the largest of its values

export interface Goal {
  subject: Subject;
  bound: "at least" | "at most";
  value: number;
}

export interface Measure {
  what: string;
  unit: string;
  /** Who is measured, where it is not a floor and Deskhand. */
  sides?: [first: string, second: string];
  /** One value a round, in the order of the rounds. */
  floor: number[];
  deskhand: number[];
  /** None where the figure is only for information. */
  goals: Goal[];
  /** The rounds' loads, where the values come from them. */
  loads?: { floor: LoadResult[]; deskhand: LoadResult[] };
  /** What else is worth keeping of the rounds. */
  details?: unknown;
}

export interface Verdict extends Goal {
  actual: number;
  isMet: boolean;
}

/** The medians of both sides, how they compare, and which goals are met. */
export function judge({ floor, deskhand, goals }: Measure) {
  const medians = { floor: median(floor), deskhand: median(deskhand) };
  const actual: Record<Subject, number> = {
    deskhand: medians.deskhand,
    difference: medians.deskhand - medians.floor,
    ratio: medians.deskhand / medians.floor,
    worst: Math.max(...deskhand),
  };
  const ratios = deskhand.map((value, round) => value / floor[round]!);
  const verdicts = goals.map((goal): Verdict => {
    const reached = actual[goal.subject];
    const isMet = goal.bound === "at least" ? reached >= goal.value : reached <= goal.value;
    return { ...goal, actual: reached, isMet };
  });
  return {
    ...medians,
    ...{ ratio: actual.ratio, difference: actual.difference },
    ratios,
    verdicts,
  };
}
