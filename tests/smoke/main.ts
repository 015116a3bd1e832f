// deno-lint-ignore-file no-console -- prints the report of a task
/** `deno task smoke`: checks a running Deskhand and its desk, and says what to correct. */
import { noProxyFor } from "../../config/http_hosts.ts";
import { type CheckResult, runChecks } from "./checks.ts";
import { OptionsError, parseOptions } from "./options.ts";
import { printEnd, printResult, printStart } from "./report.ts";
import { readSettings, VARIABLES } from "./settings.ts";

/** Reads variables; those that are set but empty count as not set. */
function readEnv<Name extends string>(names: readonly Name[]): Partial<Record<Name, string>> {
  const entries = names.map((name) => [name, Deno.env.get(name)]).filter(([, value]) => value);
  return Object.fromEntries(entries);
}

async function main(): Promise<boolean> {
  const env = readEnv([...VARIABLES, "DESKHAND_TOKEN"]);
  const { json, ...options } = await parseOptions(Deno.args, env);
  // An ambient proxy must not see tokens that go by plain http.
  const { allowHttpHosts } = readSettings(env);
  const proxy = readEnv(["NO_PROXY", "no_proxy"]);
  Deno.env.set("NO_PROXY", noProxyFor(allowHttpHosts, proxy));

  const { target, handoff } = options;
  const { url, tenantId, runId } = target;
  const results: CheckResult[] = [];
  if (!json) printStart(target);
  for await (const result of runChecks(options)) {
    results.push(result);
    if (!json) printResult(result);
  }
  const isOk = results.every(({ outcome }) => outcome === "ok" || outcome === "skipped");
  if (!json) printEnd(results, target);
  else console.log(JSON.stringify({ ok: isOk, url, tenantId, runId, handoff, checks: results }));
  return isOk;
}

try {
  if (!await main()) Deno.exitCode = 1;
} catch (error) {
  if (!(error instanceof OptionsError)) throw error;
  console.error(error.message);
  Deno.exitCode = 1;
}
