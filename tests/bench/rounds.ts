/** Alternating rounds of two sides, so that a slow phase of the machine affects both. */
import type { Bench } from "./figure.ts";
import type { LoadPlan, LoadResult } from "./load.ts";
import { Loader, type Server } from "./processes.ts";

export interface Rounds<T> {
  floor: T[];
  deskhand: T[];
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

export interface Loads {
  connections: number;
  floor: LoadPlan;
  deskhand: LoadPlan;
}

/** Loads two servers alternately. */
export async function loadInTurn(
  { rounds, seconds }: Bench,
  servers: { floor: Server; deskhand: Server },
  loads: Loads,
): Promise<Rounds<LoadResult>> {
  await using loader = new Loader();
  const round = async (side: "floor" | "deskhand") => {
    await loader.open(servers[side].port, loads.connections, loads[side]);
    const result = await loader.run({ seconds });
    await loader.close();
    return result;
  };
  return await alternate(rounds, {
    floor: () => round("floor"),
    deskhand: () => round("deskhand"),
  });
}

/** Sends so many requests before the measurement. */
export async function prepare(server: Server, plan: LoadPlan, requests: number): Promise<void> {
  await using loader = new Loader();
  await loader.open(server.port, Math.min(requests, 64), plan);
  await loader.run({ responses: requests });
}

/** Maps each round. */
export function each<T, U>({ floor, deskhand }: Rounds<T>, value: (round: T) => U): Rounds<U> {
  return { floor: floor.map(value), deskhand: deskhand.map(value) };
}

/** Returns one value of each round's load, and the loads. */
export function valuesOf(rounds: Rounds<LoadResult>, value: "perSecond" | "p50" | "p99") {
  return { ...each(rounds, (result) => result[value]), loads: rounds };
}
