/** A figure: a measurement of two sides, with goals for Deskhand's. */
import type { LoadResult } from "./load.ts";
import { median } from "./statistics.ts";

export interface Bench {
  /** Measured rounds of each side. */
  rounds: number;
  /** Duration of a round of load. */
  seconds: number;
  /** A directory for this figure, on the examined disk. */
  directory: string;
}

export interface Figure {
  name: string;
  /** What is measured, in one line. */
  about: string;
  measure(bench: Bench): Promise<Measure[]>;
}

/** The value to which a goal applies. */
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
  /** The names of the sides, by default "floor" and "Deskhand". */
  sides?: [first: string, second: string];
  /** One value per round, in their order. */
  floor: number[];
  deskhand: number[];
  /** Empty if the figure is for information only. */
  goals: Goal[];
  /** The loads of the rounds from which the values come. */
  loads?: { floor: LoadResult[]; deskhand: LoadResult[] };
  /** Further values of the rounds. */
  details?: unknown;
}

export interface Verdict extends Goal {
  actual: number;
  isMet: boolean;
}

/** Returns the medians of both sides, their ratio and difference, and which goals are met. */
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
