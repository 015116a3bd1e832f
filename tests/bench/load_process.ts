/**
 * A separate process for a load. Reads one command per line, and prints one line for each: its result,
 * or why it failed.
 */
import { lines } from "./lines.ts";
import { Load, type LoadEnd, type LoadPlan } from "./load.ts";

export type LoadCommand =
  | { do: "open"; port: number; connections: number; plan: LoadPlan }
  | { do: "run"; end: LoadEnd }
  | { do: "close" };

let load: Load | undefined;

async function execute(command: LoadCommand) {
  switch (command.do) {
    case "open":
      load = await Load.open(command.port, command.connections, command.plan);
      return null;
    case "run":
      return await load!.run(command.end);
    case "close":
      load?.close();
      return null;
  }
}

if (import.meta.main) {
  for await (const line of lines(Deno.stdin.readable)) {
    try {
      console.log(JSON.stringify({ done: await execute(JSON.parse(line)) }));
    } catch (error) {
      console.log(JSON.stringify({ failure: String(error) }));
      // Does not wait for the other connections of a load that failed.
      Deno.exit(1);
    }
  }
}
