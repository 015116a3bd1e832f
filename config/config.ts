import { Environment, isDeploy, isServer } from "./environment.ts";

export type Config = ReturnType<typeof toConfig>;

/** The environment cannot be used. The message lists every problem, and no variable's value. */
export class InvalidConfigError extends Error {
  override name = "InvalidConfigError";
}

/**
 * Reads the configuration from environment variables. An empty variable counts as unset.
 *
 * @throws {InvalidConfigError}
 */
export function parseConfig(env: Record<string, string>): Config {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  const parsed = Environment.safeParse(set);
  if (parsed.success) return toConfig(parsed.data);
  const problems = parsed.error.issues.map(({ path, message }) =>
    `  ${path.join(".")}: ${message}`
  );
  throw new InvalidConfigError(
    `Cannot start: the environment is not a configuration (README.md lists every variable)\n` +
      problems.join("\n"),
  );
}

function toConfig(env: Environment) {
  return {
    /** Null on Deno Deploy, which decides by itself. */
    listen: isDeploy(env) ? null : { hostname: env.HOST, port: env.PORT },
    kv: toKv(env),
    desk: toDesk(env),
    deskTimeoutMs: env.SUPPORT_DESK_TIMEOUT_MS,
    auth: {
      secret: env.AUTH_SECRET,
      jwksUrl: env.AUTH_JWKS_URL,
      issuer: env.AUTH_ISSUER,
      audience: env.AUTH_AUDIENCE,
      tenantsClaim: env.AUTH_TENANTS_CLAIM,
      scopesClaim: env.AUTH_SCOPES_CLAIM,
    },
    /** Hosts that may be reached by plain http, as `URL` writes them, besides this machine's. */
    allowHttpHosts: env.ALLOW_HTTP_HOSTS,
    corsOrigins: env.CORS_ORIGINS,
    /** Null if unset. Has no slash at its end. */
    publicUrl: env.PUBLIC_URL ?? null,
    /** 0 is no limit. */
    rateLimitPerMinute: env.RATE_LIMIT_PER_MINUTE,
    /** Null keeps everything. */
    retentionDays: env.RETENTION_DAYS ?? null,
    log: {
      level: env.LOG_LEVEL,
      // Deno Deploy and OpenTelemetry take what is written at once for one line.
      isBatched: !isDeploy(env) && !isTraced(env),
    },
    /** Whether Deno exports spans and metrics. */
    isTraced: isTraced(env),
  };
}

function isTraced({ OTEL_DENO }: Environment): boolean {
  return OTEL_DENO === "true" || OTEL_DENO === "1";
}

function toKv({ KV_PATH }: Environment) {
  if (KV_PATH === undefined) return { kind: "deploy" } as const;
  return isServer(KV_PATH)
    ? { kind: "connect", url: KV_PATH } as const
    : { kind: "file", path: KV_PATH } as const;
}

/** Null where no desk is configured. */
function toDesk(env: Environment) {
  const { SUPPORT_DESK_URL: url, SUPPORT_DESK_TOKEN: token, SUPPORT_DESK_QUEUE: queue } = env;
  if (url === undefined || token === undefined || queue === undefined) return null;
  return {
    url,
    token,
    queue,
    label: env.SUPPORT_DESK_LABEL,
    referenceField: env.SUPPORT_DESK_REFERENCE_FIELD,
    requestor: env.SUPPORT_DESK_REQUESTOR,
    priorities: env.SUPPORT_DESK_PRIORITIES,
    maxConcurrency: env.SUPPORT_DESK_MAX_CONCURRENCY,
  };
}
