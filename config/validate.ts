/**
 * Validates the environment before `serve` starts, whose permissions are built from `KV_PATH`. If a
 * task has read `.env`, also prints where each value comes from, and the warnings of `config`. With
 * `--sources` it does only that, for tasks that need a part of the configuration.
 */
import { parseConfigOrExit } from "./config_or_exit.ts";
import { readSources } from "./report/read_sources.ts";
import { describeSources, NAMES_VARIABLE } from "./report/sources.ts";
import { VARIABLES } from "./report/values.ts";
import { findWarnings } from "./report/warnings.ts";

const env = Deno.env.toObject();
if (NAMES_VARIABLE in env) {
  const { sources, mode, readError } = await readSources(env, ".env");
  console.error(`Configuration: ${describeSources(VARIABLES, sources)}`);
  if (readError !== null) console.error(`Warning: .env cannot be read: ${readError}`);
  for (const warning of findWarnings(VARIABLES, sources, mode)) {
    console.error(`Warning: ${warning}`);
  }
}
if (Deno.args[0] !== "--sources") parseConfigOrExit(env);
