import { VARIABLES } from "../../config/report/values.ts";
import { complete, type Completed, ROOT } from "./process.ts";

/**
 * What tasks read. Set but empty, so that neither a developer's environment nor .env counts. Deno
 * itself reads OTEL_DENO, and complains if it is empty.
 */
const UNSET = [...VARIABLES.filter((name) => name !== "OTEL_DENO"), "DESKHAND_TOKEN"];

/** A task that runs longer hangs, and is killed. */
const HANGS_AFTER_MS = 20_000;

/** A task of deno.json, with its permissions. */
export function task(name: string, args: string[], env: Record<string, string>): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", name, ...args],
    cwd: ROOT,
    env: { ...Object.fromEntries(UNSET.map((name) => [name, ""])), NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(HANGS_AFTER_MS),
  });
}

/** Runs a task to its end. */
export function runTask(
  name: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<Completed> {
  return complete(task(name, args, env));
}
