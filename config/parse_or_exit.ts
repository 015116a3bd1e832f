import { type Config, InvalidConfigError, parseConfig } from "./config.ts";
import { Environment } from "./environment.ts";
import { findMisspelt } from "./report/misspelt.ts";
import { NAMES_VARIABLE } from "./report/sources.ts";

/**
 * Parses the environment as {@linkcode parseConfig} does. If it is invalid, prints every problem to
 * standard error, without a stack trace, and ends the process with exit code 1.
 */
export function parseConfigOrExit(env: Record<string, string>): Config {
  try {
    return parseConfig(env);
  } catch (error) {
    if (!(error instanceof InvalidConfigError)) throw error;
    warnOfMisspelt(env);
    console.error(error.message);
    Deno.exit(1);
  }
}

/**
 * Prints a warning for each variable that is probably misspelt, because the rest of the report
 * cannot mention it. A task that reads `.env` has printed the warnings already.
 */
export function warnOfMisspelt(env: Record<string, string>): void {
  if (NAMES_VARIABLE in env) return;
  for (const warning of findMisspelt(Object.keys(env), Object.keys(Environment.shape))) {
    console.error(`Warning: ${warning}`);
  }
}
