/** The processes of a run. Each is killed at the end of its `await using`. */
import { cleanEnv, ROOT, taskCommand } from "../support/process.ts";
import { lines } from "./lines.ts";
import type { LoadEnd, LoadPlan, LoadResult } from "./load.ts";
import type { Order } from "./load_process.ts";
import { AUTH_SECRET } from "./requests.ts";

const BENCH = "tests/bench";

/**
 * Passes on what the server says until it listens, then reads on for nobody: a server whose output
 * is not read stalls, and reading it here would take the thread that measures. A file would be
 * flushed together with the store's.
 */
const READ_OUTPUT = `exec "$0" "$@" &> >(
  while read -r line; do
    echo "$line"
    [[ $line == *Listening* ]] && exec cat > /dev/null
  done
)`;

/** A process that did not do what a figure needs. There is no figure then. */
export class Failed extends Error {}

export interface Server extends AsyncDisposable {
  port: number;
  pid: number;
}

/** How a server is started: the arguments of `deno`, and its environment. */
export interface Launch {
  args: string[];
  env: Record<string, string>;
}

/** Deskhand as its operator runs it, with everything on but the rate limit. */
export function deskhand(kvPath: string, env: Record<string, string> = {}): Launch {
  const [, ...args] = taskCommand("serve", kvPath);
  const serving = { AUTH_SECRET, KV_PATH: kvPath, LOG_LEVEL: "info", RATE_LIMIT_PER_MINUTE: "0" };
  return { args, env: { ...serving, PORT: "0", ...env } };
}

/** One of the scripts here, with what it needs of the permissions that Deskhand has. */
export function script(path: string, ...args: string[]): Launch {
  const [file = ""] = args;
  const files = file.startsWith("/") ? [`--allow-read=${file}`, `--allow-write=${file}`] : [];
  const flags = ["--no-prompt", "--allow-env", "--allow-net", ...files];
  return { args: ["run", ...flags, `${BENCH}/${path}`, ...args], env: {} };
}

/** A `deno` in nobody's environment. */
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
  let said = "";
  for await (const line of lines(child.stdout)) {
    said += `${line}\n`;
    const [, port] = /Listening.*http:\/\/127\.0\.0\.1:(\d+)/.exec(said) ?? [];
    if (port === undefined) continue;
    return { port: Number(port), pid: child.pid, [Symbol.asyncDispose]: () => kill(child) };
  }
  throw new Failed(`It never listened: deno ${launch.args.join(" ")}\n${said}`);
}

/** Ends a process at once. */
export async function kill(child: Deno.ChildProcess): Promise<void> {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has ended.
  }
  await child.status;
}

/** A process that makes load, so that neither the harness nor a server shares its thread. */
export class Loader implements AsyncDisposable {
  #child: Deno.ChildProcess;
  #orders: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  #done: AsyncGenerator<string, undefined>;

  constructor() {
    const launch = script("load_process.ts");
    const { executable, ...options } = command(launch);
    this.#child = new Deno.Command(executable, { ...options, stdin: "piped", stdout: "piped" })
      .spawn();
    this.#orders = this.#child.stdin.getWriter();
    this.#done = lines(this.#child.stdout);
  }

  /** Opens connections to a server on this machine. */
  async open(port: number, connections: number, plan: LoadPlan): Promise<void> {
    await this.#order({ do: "open", port, connections, plan });
  }

  /** Uses the open connections. */
  async run(end: LoadEnd): Promise<LoadResult> {
    return await this.#order({ do: "run", end }) as LoadResult;
  }

  async close(): Promise<void> {
    await this.#order({ do: "close" });
  }

  async #order(order: Order): Promise<unknown> {
    await this.#orders.write(new TextEncoder().encode(`${JSON.stringify(order)}\n`));
    const { value } = await this.#done.next();
    const { done, failure } = JSON.parse(value ?? `{"failure":"its process ended"}`);
    if (failure !== undefined) throw new Failed(`The load failed: ${failure}`);
    return done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await kill(this.#child);
    await this.#orders.abort().catch(() => {});
    await this.#done.return(undefined);
  }
}
