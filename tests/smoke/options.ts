import { parseArgs } from "node:util";
import { TenantId } from "../../domain/model/context.ts";
import { mintToken } from "../demo/token.ts";
import type { SmokeOptions } from "./checks.ts";
import { type Env, readSettings, readSigningKey } from "./settings.ts";

const USAGE = `Usage: deno task smoke --tenant <id> [flags]

  --tenant <id>           a tenant of the token
  --url <url>             Deskhand's URL (by default http at HOST and PORT)
  --token <token>         a token with support_requests:create and support_requests:read;
                          better in DESKHAND_TOKEN, because the task's command line is printed;
                          without either, one that is signed here with AUTH_SECRET
  --handoff none|create   create: creates a real ticket at the desk, marked as a test (none)
  --json                  prints one JSON document instead of lines

Checks a running Deskhand from outside, and its desk with the settings in the environment and in
.env, as start reads them. It stores one or two requests in a run of its own.`;

const TOKEN_LIFETIME_S = 300;

/** The flags or the token are not usable. The message says how to correct them. */
export class OptionsError extends Error {
  override name = "OptionsError";
}

/**
 * Parses the command line and the environment.
 *
 * @throws {OptionsError} Its message never quotes a value that may be a token.
 */
export async function parseOptions(
  args: string[],
  env: Env & { DESKHAND_TOKEN?: string },
): Promise<SmokeOptions & { json: boolean }> {
  const { tenant, handoff, json, ...flags } = parseFlags(args);
  const { localUrl } = readSettings(env);
  const address = flags.url ?? localUrl;
  if (address === null) throw new OptionsError("PORT is 0: give Deskhand's URL with --url");
  const url = URL.parse(address);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username + url.password !== "") {
    throw new OptionsError("--url must be a URL such as https://deskhand.example");
  }
  if (tenant === undefined) throw new OptionsError(`--tenant is required\n\n${USAGE}`);
  if (!TenantId.safeParse(tenant).success) throw new OptionsError("--tenant is not a tenant id");
  if (handoff !== "none" && handoff !== "create") {
    throw new OptionsError("--handoff must be none or create");
  }
  const token = (flags.token ?? env.DESKHAND_TOKEN)?.trim() || await signToken(tenant, env);
  if (token === null) {
    throw new OptionsError(
      `A token is required, in DESKHAND_TOKEN or with --token, or AUTH_SECRET to sign one\n\n${USAGE}`,
    );
  }
  if (!/^[A-Za-z0-9\-._~+/]+=*$/.test(token)) {
    throw new OptionsError(
      "The token is invalid: it contains characters that tokens cannot contain",
    );
  }
  const target = {
    url: (url.origin + url.pathname).replace(/\/+$/, ""),
    setting: flags.url === undefined ? "HOST and PORT" : "--url",
    token,
    tenantId: tenant,
    runId: `smoke-${crypto.randomUUID()}`,
  };
  return { target, handoff, env, json };
}

/** Returns a token that a Deskhand with this configuration accepts; null without AUTH_SECRET. */
function signToken(tenantId: string, env: Env): Promise<string> | null {
  const key = readSigningKey(env);
  if (key === null) return null;
  const { secret, ...claims } = key;
  return mintToken(secret, {
    ...claims,
    sub: "smoke",
    tenants: [tenantId],
    scope: "support_requests:create support_requests:read",
    lifetime: TOKEN_LIFETIME_S,
  });
}

function parseFlags(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        tenant: { type: "string" },
        url: { type: "string" },
        token: { type: "string" },
        handoff: { type: "string", default: "none" },
        json: { type: "boolean", default: false },
      },
    }).values;
  } catch {
    // The parser's own message may quote a token without its flag.
    throw new OptionsError(`Cannot parse the flags\n\n${USAGE}`);
  }
}
