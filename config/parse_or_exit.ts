import { type Config, InvalidConfigError, parseConfig } from "./config.ts";

/**
 * Parses the environment as {@linkcode parseConfig} does. If it is invalid, prints every problem to
 * standard error, without a stack trace, and ends the process with exit code 1.
 */
export function parseConfigOrExit(env: Record<string, string>): Config {
  try {
    return parseConfig(env);
  } catch (error) {
    if (!(error instanceof InvalidConfigError)) throw error;
    console.error(error.message);
    Deno.exit(1);
  }
}
