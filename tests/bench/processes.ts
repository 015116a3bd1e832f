/** The processes of a run. Each is killed when it is disposed. */
import { within } from "../support/wait_for.ts";
import { cleanEnv, ROOT, taskCommand } from "../support/process.ts";
import { lines } from "./lines.ts";
import type { LoadEnd, LoadPlan, LoadResult } from "./load.ts";
import type { LoadCommand } from "./load_process.ts";
import { AUTH_SECRET } from "./requests.ts";

const BENCH = "tests/bench";
/** Longer than the longest round, 600 seconds. */
const TIMEOUT_MS = 700_000;

/**
 * Forwards the server's output until it listens, and discards the rest: a server whose output is not
 * read stalls, and reading it here would take time from the thread that measures. A file would be
 * flushed together with the store's.
 */
const READ_OUTPUT = `exec "$0" "$@" &> >(
  while read -r line; do
    echo "$line"
    [[ $line == *Listening* ]] && exec cat > /dev/null
  done
)`;

/** A process failed, so that a figure cannot be measured. */
export class MeasurementError extends Error {}

export interface Server extends AsyncDisposable {
  port: number;
  pid: number;
}

/** The arguments and the environment of a `deno` process. */
export interface Launch {
  args: string[];
  env: Record<string, string>;
}

/** Deskhand as its operator runs it, without the rate limit. */
export function deskhand(kvPath: string, env: Record<string, string> = {}): Launch {
  const [, ...args] = taskCommand("serve", kvPath);
  const serving = { AUTH_SECRET, KV_PATH: kvPath, LOG_LEVEL: "info", RATE_LIMIT_PER_MINUTE: "0" };
  return { args, env: { ...serving, PORT: "0", ...env } };
}

/** A script of this folder, with those of Deskhand's permissions that it needs. */
export function script(path: string, ...args: string[]): Launch {
  const [file = ""] = args;
  const files = file.startsWith("/") ? [`--allow-read=${file}`, `--allow-write=${file}`] : [];
  const flags = ["--no-prompt", "--allow-env", "--allow-net", ...files];
  return { args: ["run", ...flags, `${BENCH}/${path}`, ...args], env: {} };
}

/** A `deno` command in a clean environment. */
export function command({ args, env }: Launch, shell?: string) {
  const [executable, ...rest] = [...shell ? ["bash", "-c", shell] : [], Deno.execPath(), ...args];
  return {
    executable: executable!,
    args: rest,
    cwd: ROOT,
    clearEnv: true,
    env: { ...cleanEnv(), ...env },
  };
}

/** Starts a server; resolves when it listens. */
export async function start(launch: Launch): Promise<Server> {
  const { executable, ...options } = command(launch, READ_OUTPUT);
  const child = new Deno.Command(executable, { ...options, stdin: "null", stdout: "piped" })
    .spawn();
  let output = "";
  for await (const line of lines(child.stdout)) {
    output += `${line}\n`;
    const [, port] = /Listening.*http:\/\/127\.0\.0\.1:(\d+)/.exec(output) ?? [];
    if (port === undefined) continue;
    return { port: Number(port), pid: child.pid, [Symbol.asyncDispose]: () => kill(child) };
  }
  throw new MeasurementError(`The server never listened: deno ${launch.args.join(" ")}\n${output}`);
}

/** Kills a process. */
export async function kill(child: Deno.ChildProcess): Promise<void> {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has ended.
  }
  await child.status;
}

/** A process that generates load, on a thread of its own. */
export class Loader implements AsyncDisposable {
  #child: Deno.ChildProcess;
  #commands: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  #done: AsyncGenerator<string, undefined>;

  constructor() {
    const launch = script("load_process.ts");
    const { executable, ...options } = command(launch);
    this.#child = new Deno.Command(executable, { ...options, stdin: "piped", stdout: "piped" })
      .spawn();
    this.#commands = this.#child.stdin.getWriter();
    this.#done = lines(this.#child.stdout);
  }

  /** Opens connections to a server on this machine. */
  async open(port: number, connections: number, plan: LoadPlan): Promise<void> {
    await this.#execute({ do: "open", port, connections, plan });
  }

  /** Uses the open connections. */
  async run(end: LoadEnd): Promise<LoadResult> {
    return await this.#execute({ do: "run", end }) as LoadResult;
  }

  async close(): Promise<void> {
    await this.#execute({ do: "close" });
  }

  async #execute(command: LoadCommand): Promise<unknown> {
    await this.#commands.write(new TextEncoder().encode(`${JSON.stringify(command)}\n`));
    const { value } = await within("the load ends", this.#done.next(), TIMEOUT_MS);
    const { done, failure } = JSON.parse(value ?? `{"failure":"its process ended"}`);
    if (failure !== undefined) throw new MeasurementError(`The load failed: ${failure}`);
    return done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await kill(this.#child);
    await this.#commands.abort().catch(() => {});
    await this.#done.return(undefined);
  }
}
