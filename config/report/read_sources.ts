import { readEnvFile } from "./env_file.ts";
import type { VariableSources } from "./sources.ts";

/** The variable in which a task that reads `.env` passes on the names of the environment. */
export const NAMES_VARIABLE = "DESKHAND_ENVIRONMENT";

/** A process's variables with their origin, and the permission bits of `.env`. */
export interface ReadSources {
  sources: VariableSources;
  /** Null if there is no `.env`, or if the system has no permission bits. */
  mode: number | null;
  /** Why `.env` exists and cannot be read, as the system says it; null otherwise. */
  readError: string | null;
}

/**
 * Reads where the variables of a process come from. Without {@linkcode NAMES_VARIABLE} the task has
 * not read `.env`, so all of them come from the environment.
 *
 * @param env The variables of the process.
 * @param path Where `.env` is.
 */
export async function readSources(
  env: Record<string, string>,
  path: string,
): Promise<ReadSources> {
  const names = env[NAMES_VARIABLE];
  if (names === undefined) {
    const environmentNames = new Set(Object.keys(env));
    return { sources: { env, environmentNames, file: null }, mode: null, readError: null };
  }
  const environmentNames = new Set(names.split(","));
  try {
    const [text, { mode }] = await Promise.all([Deno.readTextFile(path), Deno.stat(path)]);
    return { sources: { env, environmentNames, file: readEnvFile(text) }, mode, readError: null };
  } catch (error) {
    const readError = error instanceof Deno.errors.NotFound ? null : (error as Error).message;
    return { sources: { env, environmentNames, file: null }, mode: null, readError };
  }
}
