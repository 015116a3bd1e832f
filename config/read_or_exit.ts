import type { Config } from "./config.ts";
import { hasHttpProxy, noProxyFor } from "./http_hosts.ts";
import { parseConfigOrExit, warnOfEnvironment } from "./parse_or_exit.ts";

/**
 * Reads the configuration of this process, and sets `NO_PROXY` if an ambient proxy would otherwise
 * see plain http to this machine or to `ALLOW_HTTP_HOSTS`. Call it before the first connection,
 * because Deno reads the variable only then. Prints warnings. Exits with code 1 if the environment is invalid.
 */
export function readConfigOrExit(env: Deno.Env): Config {
  const variables = env.toObject();
  const config = parseConfigOrExit(variables);
  warnOfEnvironment(variables);
  if (hasHttpProxy(variables)) env.set("NO_PROXY", noProxyFor(config.allowHttpHosts, variables));
  return config;
}
