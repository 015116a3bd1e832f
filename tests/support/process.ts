/** Deno processes as an operator runs them, in a clean environment and with limited time. */
import settings from "../../deno.json" with { type: "json" };

export const ROOT = new URL("../../", import.meta.url);

/** The command of a task, over a KV file or the URL of a KV server, with the Deno that runs this. */
export function taskCommand(name: "serve" | "erase:run", kvPath: string): string[] {
  const [, ...args] = settings.tasks[name].command.replaceAll("$KV_PATH", kvPath).split(" ");
  return [Deno.execPath(), ...args];
}

/** Of the environment of the test run only what a Deno needs to start offline. */
function cleanEnv(): Record<string, string> {
  const { HOME = "", PATH = "", DENO_DIR = "" } = Deno.env.toObject();
  return { HOME, PATH, NO_COLOR: "1", ...DENO_DIR !== "" && { DENO_DIR } };
}

/** Variables that a machine may need to reach the package registry. */
export function registryEnv(): Record<string, string> {
  const names =
    /^(NPM_CONFIG_|HTTPS?_PROXY$|NO_PROXY$|DENO_CERT$|DENO_TLS_CA_STORE$|NODE_EXTRA_CA_CERTS$)/i;
  return Object.fromEntries(
    Object.entries(Deno.env.toObject()).filter(([name]) => names.test(name)),
  );
}

export interface Launch {
  /** The program and its arguments. */
  command: string[];
  /** Variables beside {@linkcode cleanEnv}. */
  env?: Record<string, string>;
  /** Shell code that runs first, in the process that becomes the program. */
  before?: string;
  /** A program that runs the rest of its arguments. */
  within?: string[];
}

/** A process in the project's folder, with piped output. */
export function command(
  { command, env = {}, before, within = [] }: Launch,
  options: Deno.CommandOptions = {},
): Deno.Command {
  const shell = before === undefined ? [] : ["bash", "-c", `${before}; exec "$0" "$@"`];
  const [program, ...args] = [...within, ...shell, ...command];
  return new Deno.Command(program!, {
    args,
    cwd: ROOT,
    clearEnv: true,
    env: { ...cleanEnv(), ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    ...options,
  });
}

export interface Completed {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a process to its end. */
export async function complete(command: Deno.Command): Promise<Completed> {
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
