/** Measurements of servers in alternating rounds, so that a slow phase of the machine affects all. */
import { median } from "./statistics.ts";

/** What is measured side by side. The README has what the ceiling and equal duties are. */
export type Sides<T> =
  & Record<"floor" | "deskhand", T>
  & Partial<Record<"ceiling" | "duties", T>>;

/** One value for each round of each side. */
export type Rounds<T> = Sides<T[]>;

export interface Measure extends Rounds<number> {
  name: string;
  /** Rates, in `/s`, are better if they are higher; everything else if it is lower. */
  unit: string;
  /** For the ratio to the floor: at least for rates, at most for everything else. */
  goal?: number;
  /** The largest share of a core that the load generator took. If it is near 1, it was the limit. */
  cpu?: number;
}

/** The medians, and the median, lowest and highest ratio of a round. */
export interface Judged {
  floor: number;
  deskhand: number;
  ratio: number;
  lowest: number;
  highest: number;
  /** The median ratios of the ceiling and of equal duties to the floor. */
  ceiling?: number;
  duties?: number;
}

/** Maps each side. */
export function mapSides<T, U>(sides: Sides<T>, map: (side: T) => U): Sides<U> {
  const entries = Object.entries(sides).map(([side, value]) => [side, map(value)]);
  return Object.fromEntries(entries);
}

/** Maps each round. */
export function each<T, U>(rounds: Rounds<T>, map: (round: T) => U): Rounds<U> {
  return mapSides(rounds, (values) => values.map(map));
}

/**
 * Measures the sides in turn, and in the opposite order in every other round. The first round of each
 * is discarded.
 */
export async function alternate<T>(
  rounds: number,
  sides: Sides<() => Promise<T>>,
): Promise<Rounds<T>> {
  const results = mapSides(sides, () => [] as T[]);
  const order = Object.entries(sides) as [keyof Sides<T>, () => Promise<T>][];
  for (let round = 0; round <= rounds; round++) {
    for (const [side, measure] of order) {
      const result = await measure();
      if (round > 0) results[side]!.push(result);
    }
    order.reverse();
  }
  return results;
}

/** Returns what the rounds show. Only the sides of one round are compared with each other. */
export function judge({ floor, deskhand, ceiling, duties }: Rounds<number>): Judged {
  const relative = (values: number[]) => values.map((value, round) => value / floor[round]!);
  const ratios = relative(deskhand);
  return {
    floor: median(floor),
    deskhand: median(deskhand),
    ratio: median(ratios),
    lowest: Math.min(...ratios),
    highest: Math.max(...ratios),
    ...ceiling && { ceiling: median(relative(ceiling)) },
    ...duties && { duties: median(relative(duties)) },
  };
}
