/** The servers of a run. Each is stopped when it is disposed. */
import { command, type Launch, taskCommand } from "../support/process.ts";
import { freePort } from "../support/raw_server.ts";
import { waitFor } from "../support/wait_for.ts";
import { AUTH_SECRET, ORIGIN } from "./requests.ts";

const TIMEOUT_MS = 60_000;
/**
 * Reads the output in another process: a server whose output is not read stalls, and reading it here
 * would take time from the thread that measures. A file would be flushed together with the store's.
 */
const DISCARD_OUTPUT = "exec > >(exec cat > /dev/null)";

export interface Server extends AsyncDisposable {
  port: number;
  pid: number;
}

/** Deskhand as its operator runs it for pages of another origin, without the rate limit. */
export function deskhand(kvPath: string, env: Record<string, string> = {}): Launch {
  const command = taskCommand("serve", kvPath);
  const base = { AUTH_SECRET, KV_PATH: kvPath, CORS_ORIGINS: ORIGIN, RATE_LIMIT_PER_MINUTE: "0" };
  return { command, env: { ...base, ...env }, before: DISCARD_OUTPUT };
}

/** A script of this folder, with those of Deskhand's permissions that it needs. */
export function script(path: string, ...args: string[]): Launch {
  const files = args.flatMap((file) => [`--allow-read=${file}`, `--allow-write=${file}`]);
  const flags = ["--no-prompt", "--allow-env", "--allow-net", ...files];
  return {
    command: [Deno.execPath(), "run", ...flags, `tests/bench/${path}`, ...args],
    before: DISCARD_OUTPUT,
  };
}

/** Starts a server; resolves when it accepts connections. */
export async function start(launch: Launch): Promise<Server> {
  const port = freePort();
  const env = { ...launch.env, PORT: String(port) };
  const child = command({ ...launch, env }, { stdout: "null", stderr: "inherit" }).spawn();
  await using starting = new AsyncDisposableStack();
  starting.use(child);
  let hasEnded = false;
  child.status.then(() => hasEnded = true);
  const isDone = () => hasEnded || isListening(port);
  await waitFor("the server listens", isDone, Boolean, { timeoutMs: TIMEOUT_MS, intervalMs: 1 });
  if (hasEnded) throw new Error(`The server ended: ${launch.command.join(" ")}`);
  const started = starting.move();
  return { port, pid: child.pid, [Symbol.asyncDispose]: () => started.disposeAsync() };
}

function isListening(port: number): Promise<boolean> {
  const connecting = Deno.connect({ hostname: "127.0.0.1", port });
  return connecting.then((connection) => (connection.close(), true), () => false);
}
