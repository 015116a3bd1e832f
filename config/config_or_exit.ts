import { type Config, InvalidConfigError, parseConfig } from "./config.ts";
import { Environment } from "./environment.ts";
import { hasHttpProxy, noProxyFor } from "./http_hosts.ts";
import { findMisspelt } from "./report/misspelt.ts";
import { NAMES_VARIABLE } from "./report/sources.ts";
import { findEdgeWarnings } from "./report/warnings.ts";

/**
 * Reads the configuration of this process, and sets `NO_PROXY` if an ambient proxy would otherwise
 * see plain http to this machine or to `ALLOW_HTTP_HOSTS`. Call it before the first connection,
 * because Deno reads the variable only then. Prints warnings. Exits with code 1 if the environment is
 * invalid.
 */
export function readConfigOrExit(env: Deno.Env): Config {
  const variables = env.toObject();
  const config = parseConfigOrExit(variables);
  warnOfEnvironment(variables);
  if (hasHttpProxy(variables)) env.set("NO_PROXY", noProxyFor(config.allowHttpHosts, variables));
  return config;
}

/**
 * Parses the environment as {@linkcode parseConfig} does. If it is invalid, prints every problem to
 * standard error, without a stack trace, and ends the process with exit code 1.
 */
export function parseConfigOrExit(env: Record<string, string>): Config {
  try {
    return parseConfig(env);
  } catch (error) {
    if (!(error instanceof InvalidConfigError)) throw error;
    warnOfEnvironment(env);
    console.error(error.message);
    Deno.exit(1);
  }
}

/**
 * Prints a warning for each variable that is probably misspelt, and for each value with a blank, a CR
 * or quotes around it: both look right in a file, and lead to errors that do not name them. A task
 * that reads `.env` has printed the warnings already.
 */
function warnOfEnvironment(env: Record<string, string>): void {
  if (NAMES_VARIABLE in env) return;
  const names = Object.keys(Environment.shape);
  for (
    const warning of [...findMisspelt(Object.keys(env), names), ...findEdgeWarnings(names, env)]
  ) {
    console.error(`Warning: ${warning}`);
  }
}
