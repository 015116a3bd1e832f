import { type ConfigProblem, Environment, isDeploy, isKvConnectUrl } from "./environment.ts";

export type Config = ReturnType<typeof toConfig>;

/** The environment is invalid. The message lists every problem and never contains a value. */
export class InvalidConfigError extends Error {
  override name = "InvalidConfigError";

  constructor(readonly problems: ConfigProblem[]) {
    const lines = problems.map(({ names, rule }) => `  ${names}: ${rule}`);
    super(["Invalid configuration (README.md lists every variable):", ...lines].join("\n"));
  }
}

/**
 * Parses environment variables into the configuration. An empty variable counts as unset.
 *
 * @throws {InvalidConfigError}
 */
export function parseConfig(env: Record<string, string>): Config {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  const parsed = Environment.safeParse(set);
  if (parsed.success) return toConfig(parsed.data);
  throw new InvalidConfigError(parsed.problems);
}

function toConfig(env: Environment) {
  return {
    /** Null on Deno Deploy, which chooses the address. */
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
    /** Hosts besides the loopback interface that allow plain http, as `URL` normalizes them. */
    allowHttpHosts: env.ALLOW_HTTP_HOSTS,
    corsOrigins: env.CORS_ORIGINS,
    /** Null if unset. Has no trailing slash. */
    publicUrl: env.PUBLIC_URL ?? null,
    /** 0 disables the limit. */
    rateLimitPerMinute: env.RATE_LIMIT_PER_MINUTE,
    /** Null means that records never expire. */
    retentionDays: env.RETENTION_DAYS ?? null,
    log: {
      level: env.LOG_LEVEL,
      // Deno Deploy and Deno's OpenTelemetry exporter treat each write as one log record.
      isBatched: !isDeploy(env) && !isTraced(env),
      hasPriorities: env.LOG_FORMAT === "journald",
    },
    /** Whether Deno exports spans, metrics and logs by OpenTelemetry. */
    isTraced: isTraced(env),
  };
}

function isTraced({ OTEL_DENO }: Environment): boolean {
  return OTEL_DENO === "true" || OTEL_DENO === "1";
}

/** Without `KV_PATH` the service runs on Deno Deploy, which attaches the database. */
function toKv({ KV_PATH }: Environment) {
  if (KV_PATH === undefined) return { kind: "deploy" } as const;
  return isKvConnectUrl(KV_PATH)
    ? { kind: "connect", url: KV_PATH } as const
    : { kind: "file", path: KV_PATH } as const;
}

/** Null if no desk is configured. */
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
