/**
 * Runs a temporary Request Tracker to try Deskhand with, until Ctrl-C:
 * `deno run -A tests/request_tracker/serve.ts [--port 8085]`.
 */
// deno-lint-ignore-file no-console -- a command prints its result
import { parseArgs } from "node:util";
import { startRequestTracker } from "./instance.ts";

const { values } = parseArgs({ options: { port: { type: "string", default: "8085" } } });
const interrupted = new Promise<void>((resolve) => {
  Deno.addSignalListener("SIGINT", resolve);
  Deno.addSignalListener("SIGTERM", resolve);
});

await using requestTracker = await startRequestTracker({ port: Number(values.port) })
  .catch((error) => {
    console.error(error.message);
    Deno.exit(1);
  });
console.log(`Request Tracker is running; Ctrl-C ends it and deletes its tickets.

Configure Deskhand with:

SUPPORT_DESK_URL=${requestTracker.url}
SUPPORT_DESK_TOKEN=${requestTracker.token}
SUPPORT_DESK_QUEUE=${requestTracker.queue}

Read the tickets at ${requestTracker.url} as "agent", password "${requestTracker.agentPassword}".`);
await interrupted;
