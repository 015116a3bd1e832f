import type { EnvFile } from "./env_file.ts";

/** The variable in which a task that reads `.env` passes on the names of the environment. */
export const NAMES_VARIABLE = "DESKHAND_ENVIRONMENT";

/** Where the value of a variable comes from. */
export type Source = "environment" | ".env" | "default" | "unset";

/** The variables of the process, and what is known about their sources. */
export interface VariableSources {
  /** The variables as the process sees them, with those of `.env`. */
  env: Record<string, string>;
  /** The names that the environment sets, without `.env`. The environment wins over `.env`. */
  environmentNames: ReadonlySet<string>;
  /** Null if there is no `.env`, or if the task does not read it. */
  file: EnvFile | null;
}

/** Returns where the value of `name` comes from. An empty value counts as unset. */
export function sourceOf(name: string, { env, environmentNames }: VariableSources): Source {
  if ((env[name] ?? "") === "") return "unset";
  return environmentNames.has(name) ? "environment" : ".env";
}

/** Whether both the environment and `.env` set a variable. */
export function isOverridden(name: string, { environmentNames, file }: VariableSources): boolean {
  return environmentNames.has(name) && (file?.names.has(name) ?? false);
}

/**
 * Lists the sources of the given variables in one line, such as `AUTH_SECRET, KV_PATH from .env;
 * PORT from the environment`, and `defaults only` if none is set.
 */
export function describeSources(names: readonly string[], sources: VariableSources): string {
  const from = (source: Source) => names.filter((name) => sourceOf(name, sources) === source);
  const environment = from("environment");
  const file = from(".env");
  const parts = [];
  if (file.length > 0) parts.push(`${file.join(", ")} from .env`);
  if (environment.length > 0) parts.push(`${environment.join(", ")} from the environment`);
  return parts.join("; ") || "defaults only";
}
