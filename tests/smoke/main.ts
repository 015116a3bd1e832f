/** `deno task smoke`: tells an operator whether a running Deskhand works, and what to look at. */
import { parseArgs } from "node:util";
import { Environment } from "../../config/environment.ts";
import { noProxyFor } from "../../config/http_hosts.ts";
import { TenantId } from "../../domain/model/context.ts";
import { type CheckResult, runChecks, type SmokeOptions } from "./checks.ts";

const USAGE = `Usage: deno task smoke --tenant <id> [flags]

  --tenant <id>           a tenant of the token
  --url <address>         where Deskhand is (http://127.0.0.1:8000)
  --token <token>         a token with support_requests:create and support_requests:read;
                          better in DESKHAND_TOKEN, because the task's command line is printed
  --handoff none|create   create: makes a real ticket at the desk, marked as a test (none)
  --json                  prints one JSON document instead of lines

It keeps one or two requests in a run of its own. With --handoff create it asks RT whether the
ticket has its reference, where SUPPORT_DESK_URL, SUPPORT_DESK_TOKEN and
SUPPORT_DESK_REFERENCE_FIELD are in the environment or in .env as Deskhand has them.`;

const DESK = [
  "SUPPORT_DESK_URL",
  "SUPPORT_DESK_TOKEN",
  "SUPPORT_DESK_REFERENCE_FIELD",
  "ALLOW_HTTP_HOSTS",
];

class BadFlags extends Error {}

function flags() {
  try {
    // The parser's own message is not shown: it may quote a token that lacks its flag.
    return parseArgs({
      options: {
        tenant: { type: "string" },
        url: { type: "string", default: "http://127.0.0.1:8000" },
        token: { type: "string" },
        handoff: { type: "string", default: "none" },
        json: { type: "boolean", default: false },
      },
    }).values;
  } catch {
    throw new BadFlags(`Cannot read the flags\n\n${USAGE}`);
  }
}

function toOptions({ tenant, handoff, ...flag }: ReturnType<typeof flags>): SmokeOptions {
  const url = URL.parse(flag.url);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username + url.password !== "") {
    throw new BadFlags("--url must be an address such as https://deskhand.example");
  }
  const token = (flag.token ?? Deno.env.get("DESKHAND_TOKEN") ?? "").trim();
  if (!/^[A-Za-z0-9\-._~+/]+=*$/.test(token)) {
    throw new BadFlags(
      token === ""
        ? `A token is needed, in DESKHAND_TOKEN or with --token\n\n${USAGE}`
        : "The token is not one: it has characters that no token has",
    );
  }
  if (tenant === undefined) throw new BadFlags(`A tenant is needed, with --tenant\n\n${USAGE}`);
  if (!TenantId.safeParse(tenant).success) throw new BadFlags("--tenant is not a tenant id");
  if (handoff !== "none" && handoff !== "create") {
    throw new BadFlags("--handoff must be none or create");
  }
  return {
    target: {
      url: (url.origin + url.pathname).replace(/\/+$/, ""),
      token,
      tenantId: tenant,
      runId: `smoke-${crypto.randomUUID()}`,
    },
    handoff,
    env: Object.fromEntries(DESK.map((name) => [name, Deno.env.get(name) ?? ""])),
  };
}

/** Keeps the tokens away from an ambient proxy where they go by plain http. */
function bypassHttpProxy(): void {
  const get = (name: string) => Deno.env.get(name) || undefined;
  const hosts = Environment.shape.ALLOW_HTTP_HOSTS.safeParse(get("ALLOW_HTTP_HOSTS")).data ?? [];
  const env = { NO_PROXY: get("NO_PROXY"), no_proxy: get("no_proxy") };
  Deno.env.set("NO_PROXY", noProxyFor(hosts, env));
}

function print(result: CheckResult): void {
  if (result.outcome === "untried") return;
  const word = result.outcome === "failed" ? "FAILED" : result.outcome;
  const made = result.outcome === "ok" && result.note ? `: ${result.note}` : "";
  console.log(`${word.padEnd(8)}${String(result.ms).padStart(6)} ms  ${result.title}${made}`);
  if (result.outcome !== "ok") console.log(`${" ".repeat(19)}${result.note}`);
}

function printEnd(results: CheckResult[], { runId }: SmokeOptions["target"]): void {
  const count = (outcome: CheckResult["outcome"]) =>
    results.filter((result) => result.outcome === outcome).length;
  const counts = [`${count("ok")} ok`, `${count("failed")} failed`];
  if (count("skipped") > 0) counts.push(`${count("skipped")} skipped`);
  if (count("untried") > 0) counts.push(`${count("untried")} not tried because of what failed`);
  console.log(`\n${counts.join(", ")}`);
  if (count("failed") > 0 && results[0]?.outcome === "ok") {
    console.log(`In Deskhand's log this test's lines have a requestId that begins with ${runId}`);
  }
}

try {
  const given = flags();
  const options = toOptions(given);
  bypassHttpProxy();
  const { target, handoff } = options;
  const { url, tenantId, runId } = target;
  if (!given.json) {
    console.log(`Smoke test of Deskhand at ${url}, tenant ${tenantId}, run ${runId}\n`);
  }
  const results: CheckResult[] = [];
  for await (const result of runChecks(options)) {
    results.push(result);
    if (!given.json) print(result);
  }
  const isWell = results.every(({ outcome }) => outcome === "ok" || outcome === "skipped");
  if (!given.json) printEnd(results, target);
  else console.log(JSON.stringify({ ok: isWell, url, tenantId, runId, handoff, checks: results }));
  if (!isWell) Deno.exitCode = 1;
} catch (error) {
  if (!(error instanceof BadFlags)) throw error;
  console.error(error.message);
  Deno.exitCode = 1;
}
