/**
 * A process of its own for a load. Takes one order a line, and answers each with one line: what came
 * of it, or why it failed.
 */
import { lines } from "./lines.ts";
import { Load, type LoadEnd, type LoadPlan } from "./load.ts";

export type Order =
  | { do: "open"; port: number; connections: number; plan: LoadPlan }
  | { do: "run"; end: LoadEnd }
  | { do: "close" };

let load: Load | undefined;

async function carryOut(order: Order) {
  switch (order.do) {
    case "open":
      load = await Load.open(order.port, order.connections, order.plan);
      return null;
    case "run":
      return await load!.run(order.end);
    case "close":
      load?.close();
      return null;
  }
}

if (import.meta.main) {
  for await (const line of lines(Deno.stdin.readable)) {
    try {
      console.log(JSON.stringify({ done: await carryOut(JSON.parse(line)) }));
    } catch (error) {
      console.log(JSON.stringify({ failure: String(error) }));
      // The other connections of a load that failed are not waited for.
      Deno.exit(1);
    }
  }
}
