import { readEnvFile } from "./env_file.ts";
import { NAMES_VARIABLE, type VariableSources } from "./sources.ts";

/** Keeps a byte order mark, and throws a `TypeError` if the text has another encoding. */
const UTF_8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A process's variables with their sources, and the permission bits of `.env`. */
export interface ReadSources {
  sources: VariableSources;
  /** Null if there is no `.env`, or if the system has no permission bits. */
  mode: number | null;
  /** Why `.env` exists and cannot be read; null otherwise. */
  readError: string | null;
}

/**
 * Reads where the variables of a process come from. Without {@linkcode NAMES_VARIABLE} the task has
 * not read `.env`, so all of them come from the environment.
 *
 * @param env The variables of the process.
 * @param path The path of `.env`.
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
    const [bytes, { mode }] = await Promise.all([Deno.readFile(path), Deno.stat(path)]);
    const file = readEnvFile(UTF_8.decode(bytes));
    return { sources: { env, environmentNames, file }, mode, readError: null };
  } catch (error) {
    return { sources: { env, environmentNames, file: null }, mode: null, readError: why(error) };
  }
}

function why(error: unknown): string | null {
  if (error instanceof Deno.errors.NotFound) return null;
  // Windows PowerShell writes UTF-16, of which Deno reads nothing.
  if (error instanceof TypeError) return "it is not UTF-8 text, save it as UTF-8";
  return (error as Error).message;
}
