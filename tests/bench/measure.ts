/** Measurements of two sides in alternating rounds, so that a slow phase of the machine affects both. */
import { median } from "./statistics.ts";

/** One value for each round of each side. */
export interface Rounds<T> {
  floor: T[];
  deskhand: T[];
}

export interface Measure extends Rounds<number> {
  name: string;
  /** Rates, in `/s`, are better if they are higher; everything else if it is lower. */
  unit: string;
  /** For the ratio to the floor: at least for rates, at most for everything else. */
  goal?: number;
  /** The largest share of a core that the load generator took. If it is near 1, it was the limit. */
  cpu?: number;
}

/** The medians of both sides, and the median, lowest and highest ratio of a round. */
export interface Judged {
  floor: number;
  deskhand: number;
  ratio: number;
  lowest: number;
  highest: number;
}

/** Measures the sides alternately. The first round of each is discarded. */
export async function alternate<T>(
  rounds: number,
  sides: { floor(): Promise<T>; deskhand(): Promise<T> },
): Promise<Rounds<T>> {
  const results: Rounds<T> = { floor: [], deskhand: [] };
  for (let round = 0; round <= rounds; round++) {
    const floor = await sides.floor();
    const deskhand = await sides.deskhand();
    if (round === 0) continue;
    results.floor.push(floor);
    results.deskhand.push(deskhand);
  }
  return results;
}

/** Maps each round. */
export function each<T, U>({ floor, deskhand }: Rounds<T>, value: (round: T) => U): Rounds<U> {
  return { floor: floor.map(value), deskhand: deskhand.map(value) };
}

/** Returns what the rounds show. Only the two sides of one round are compared with each other. */
export function judge({ floor, deskhand }: Rounds<number>): Judged {
  const ratios = deskhand.map((value, round) => value / floor[round]!);
  return {
    floor: median(floor),
    deskhand: median(deskhand),
    ratio: median(ratios),
    lowest: Math.min(...ratios),
    highest: Math.max(...ratios),
  };
}
