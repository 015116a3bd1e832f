/** The command of the task `erase`, as an operator runs it. */
import { AUTH_SECRET } from "./constants.ts";
import { command, complete, type Completed, taskCommand } from "./process.ts";

const TIMEOUT_MS = 60_000;

/** Runs the command with the permissions of the task. */
export function runErase(
  kvPath: string,
  flags: string[],
  env: Record<string, string> = {},
): Promise<Completed> {
  return complete(command({
    command: [...taskCommand("erase:run", kvPath), ...flags],
    env: { AUTH_SECRET, KV_PATH: kvPath, ...env },
  }, { signal: AbortSignal.timeout(TIMEOUT_MS) }));
}
