import { type Config, InvalidConfigError, parseConfig } from "./config.ts";
import { Environment, isKvConnectUrl } from "./environment.ts";
import { hasHttpProxy, noProxyFor } from "./http_hosts.ts";
import { findMisspelt } from "./report/misspelt.ts";
import { NAMES_VARIABLE } from "./report/sources.ts";
import { findEdgeWarnings } from "./report/warnings.ts";

/**
 * Reads the configuration of this process, and sets `NO_PROXY` if an ambient proxy would otherwise
 * see plain http to this machine or to `ALLOW_HTTP_HOSTS`. Call it before the first connection and
 * before KV is opened, because Deno reads the variables only then. Prints warnings. Exits with code 1
 * if the environment is invalid.
 */
export function readConfigOrExit(env: Deno.Env): Config {
  const variables = env.toObject();
  const config = parseConfigOrExit(variables);
  warnOfEnvironment(variables);
  if (config.kv.kind === "deploy") requireDatabase(env, variables);
  if (hasHttpProxy(variables)) env.set("NO_PROXY", noProxyFor(config.allowHttpHosts, variables));
  return config;
}

/**
 * Ensures that requests are not stored in memory: Deno Deploy does that if no database is assigned to
 * the app, and they are lost with the process (denoland/deploy_feedback#905). Runtimes from Deno 2.9 on
 * reject it if this variable is set (denoland/deno#35671). For older ones prints a warning if the
 * variable by which Deploy passes the database (denoland/deno#30320) has no URL.
 */
function requireDatabase(env: Deno.Env, variables: Record<string, string>): void {
  env.set("DENO_KV_REQUIRES_DISTRIBUTED_DATABASE", "error");
  const { DENO_KV_PATH_PREFIX: prefix = "", DENO_KV_DEFAULT_PATH: path = "" } = variables;
  if (path !== "" && isKvConnectUrl(prefix + path)) return;
  console.error(
    "Warning: no Deno KV database seems to be assigned to this app: requests would be lost with the " +
      "process. Assign one, and deploy again",
  );
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
