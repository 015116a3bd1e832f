/** The operator's configuration, as far as the smoke test uses it. */
import { Environment } from "../../config/environment.ts";

/** The variables that the smoke test reads. */
export const VARIABLES = [
  "ALLOW_HTTP_HOSTS",
  "AUTH_AUDIENCE",
  "AUTH_ISSUER",
  "AUTH_JWKS_URL",
  "AUTH_SCOPES_CLAIM",
  "AUTH_SECRET",
  "AUTH_TENANTS_CLAIM",
  "HOST",
  "PORT",
  "PUBLIC_URL",
  "SUPPORT_DESK_QUEUE",
  "SUPPORT_DESK_REFERENCE_FIELD",
  "SUPPORT_DESK_TOKEN",
  "SUPPORT_DESK_URL",
] as const;
type Variable = typeof VARIABLES[number];

/** Values of {@linkcode VARIABLES}; what is empty is not set. */
export type Env = Partial<Record<Variable, string>>;

export interface Settings {
  /** Where `start` listens with this configuration; null if the system chooses the port. */
  localUrl: string | null;
  publicUrl?: string;
  allowHttpHosts: string[];
  auth: {
    /** Whether tokens are signed with a shared secret; undefined if nothing is configured here. */
    scheme?: "secret" | "key set";
    issuer?: string;
    audience?: string;
    tenantsClaim: string;
  };
}

/**
 * Reads the settings. Values that are not valid count as not set: `deno task config` reports them.
 */
export function readSettings(env: Env): Settings {
  const { shape } = Environment;
  const hasSecret = env.AUTH_SECRET !== undefined;
  const scheme = hasSecret ? "secret" : env.AUTH_JWKS_URL !== undefined ? "key set" : undefined;
  return {
    localUrl: localUrl(
      env.HOST ?? "127.0.0.1",
      shape.PORT.safeParse(env.PORT).data ?? 8000,
    ),
    publicUrl: shape.PUBLIC_URL.safeParse(env.PUBLIC_URL).data,
    allowHttpHosts: shape.ALLOW_HTTP_HOSTS.safeParse(env.ALLOW_HTTP_HOSTS).data ?? [],
    auth: {
      scheme,
      issuer: env.AUTH_ISSUER,
      audience: env.AUTH_AUDIENCE,
      tenantsClaim: shape.AUTH_TENANTS_CLAIM.safeParse(env.AUTH_TENANTS_CLAIM).data ?? "tenants",
    },
  };
}

/** Returns the secret and the claims of a token; null if only an identity provider can sign tokens. */
export function readSigningKey(env: Env) {
  const { shape } = Environment;
  const secret = shape.AUTH_SECRET.safeParse(env.AUTH_SECRET).data;
  if (secret === undefined || env.AUTH_JWKS_URL !== undefined) return null;
  return {
    secret,
    issuer: env.AUTH_ISSUER,
    audience: env.AUTH_AUDIENCE,
    tenantsClaim: shape.AUTH_TENANTS_CLAIM.safeParse(env.AUTH_TENANTS_CLAIM).data,
    scopesClaim: shape.AUTH_SCOPES_CLAIM.safeParse(env.AUTH_SCOPES_CLAIM).data,
  };
}

/** A service that listens on every interface is called on the loopback interface. */
function localUrl(host: string, port: number): string | null {
  if (port === 0) return null;
  const reachable = { "0.0.0.0": "127.0.0.1", "::": "::1", "[::]": "::1" }[host] ?? host;
  const isIpv6 = reachable.includes(":") && !reachable.startsWith("[");
  return URL.parse(`http://${isIpv6 ? `[${reachable}]` : reachable}:${port}`)?.origin ?? null;
}
