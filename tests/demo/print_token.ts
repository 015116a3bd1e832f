/** `deno task token`: prints a test token that a service with the same configuration accepts. */
import { parseArgs } from "node:util";
import type { z } from "zod";
import { Environment } from "../../config/environment.ts";
import { TenantId } from "../../domain/model/context.ts";
import { Actor } from "../../domain/model/support_request.ts";
import { ALL_SCOPES, mintToken } from "./token.ts";

const USAGE = `Usage: deno task token [flags]

  --tenant <id>       a tenant that the token covers; repeat it for more (acme)
  --sub <id>          the actor (u-1)
  --name <name>       the person's name (none)
  --scope <scopes>    space-separated (${ALL_SCOPES})
  --minutes <number>  until the token expires, 1 to 10080 (60)

AUTH_SECRET, AUTH_ISSUER, AUTH_AUDIENCE, AUTH_TENANTS_CLAIM and AUTH_SCOPES_CLAIM are read from the
environment, otherwise from .env.`;

const MAX_MINUTES = 7 * 24 * 60;

class MintError extends Error {
  override name = "MintError";
}

function flags() {
  try {
    return parseArgs({
      options: {
        tenant: { type: "string", multiple: true, default: ["acme"] },
        sub: { type: "string", default: "u-1" },
        name: { type: "string" },
        scope: { type: "string", default: ALL_SCOPES },
        minutes: { type: "string", default: "60" },
      },
    }).values;
  } catch {
    throw new MintError(USAGE);
  }
}

/** An empty variable counts as unset, as it does for the service. */
function environment(name: string): string | undefined {
  return Deno.env.get(name) || undefined;
}

function secret(): string {
  if (environment("AUTH_JWKS_URL") !== undefined) {
    throw new MintError(
      "Cannot create a token: AUTH_JWKS_URL is set, so only the identity provider can issue tokens",
    );
  }
  const parsed = Environment.shape.AUTH_SECRET.safeParse(environment("AUTH_SECRET"));
  if (!parsed.success) {
    throw new MintError(`Cannot create a token: AUTH_SECRET ${parsed.rules[0]}`);
  }
  if (parsed.data === undefined) {
    throw new MintError(
      "Cannot create a token: set AUTH_SECRET in the environment or in .env to the service's secret",
    );
  }
  return parsed.data;
}

function mint({ tenant, sub, name, scope, minutes }: ReturnType<typeof flags>): Promise<string> {
  const authSecret = secret();
  for (const id of tenant) check("--tenant", TenantId, id);
  check("--sub", Actor.shape.id, sub);
  check("--name", Actor.shape.name, name);
  const count = /^\d{1,5}$/.test(minutes) ? Number(minutes) : 0;
  if (count < 1 || count > MAX_MINUTES) {
    throw new MintError(
      `Cannot create a token: --minutes must be a whole number from 1 to ${MAX_MINUTES}`,
    );
  }
  return mintToken(authSecret, {
    sub,
    name,
    tenants: tenant,
    scope,
    lifetime: count * 60,
    issuer: environment("AUTH_ISSUER"),
    audience: environment("AUTH_AUDIENCE"),
    tenantsClaim: environment("AUTH_TENANTS_CLAIM"),
    scopesClaim: environment("AUTH_SCOPES_CLAIM"),
  });
}

function check(flag: string, schema: z.ZodType, value: unknown): void {
  const { error } = schema.safeParse(value);
  if (error) throw new MintError(`Cannot create a token: ${flag} ${error.issues[0]!.message}`);
}

try {
  console.log(await mint(flags()));
} catch (error) {
  if (!(error instanceof MintError)) throw error;
  console.error(error.message);
  Deno.exitCode = 1;
}
