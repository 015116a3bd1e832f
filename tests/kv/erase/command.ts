/** `deno task erase`, as an operator runs it. */
import settings from "../../../deno.json" with { type: "json" };
import { AUTH_SECRET } from "../../support/constants.ts";

const ROOT = new URL("../../../", import.meta.url);
/** Longer than any erasure in the tests. */
const HANGS_AFTER_MS = 60_000;

export interface Erased {
  code: number;
  output: string;
  errors: string;
}

/** Runs the command with the permissions of the task `erase`. */
export async function runErase(
  kvPath: string,
  flags: string[],
  env: Record<string, string> = {},
): Promise<Erased> {
  const command = settings.tasks["erase:run"].command.replaceAll("$KV_PATH", kvPath);
  const [, ...args] = command.split(" ");
  const { HOME = "", PATH = "", DENO_DIR = "" } = Deno.env.toObject();
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args, ...flags],
    cwd: ROOT,
    clearEnv: true,
    env: {
      HOME,
      PATH,
      ...DENO_DIR !== "" && { DENO_DIR },
      AUTH_SECRET,
      KV_PATH: kvPath,
      NO_COLOR: "1",
      ...env,
    },
    stdin: "null",
    signal: AbortSignal.timeout(HANGS_AFTER_MS),
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, output: text(stdout), errors: text(stderr) };
}
