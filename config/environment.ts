import { HttpHosts, isHttpUrl, isSafeInTransit } from "./http_hosts.ts";
import { Origins } from "./origins.ts";
import { Priorities } from "./priorities.ts";
import { integer, oneOf, text, type Variable } from "./variable.ts";

/** The prefix of every ticket URL, which must fit into a record beside the largest submission. */
export const MAX_DESK_URL_LENGTH = 2_000;
/** The longest desk label with which every summary of a failure fits into 200 characters. */
export const MAX_LABEL_LENGTH = 40;

/** An http or https URL. The rule about `ALLOW_HTTP_HOSTS` below decides where http is safe. */
function httpUrl(example: string) {
  return text().check(
    isHttpUrl,
    `must be an https URL such as ${example}, without user name, password or fragment`,
  );
}

/** The URL that clients use. Nothing is sent to it, so plain http is accepted for any host. */
const PublicUrl = text()
  .check(
    (url) => /^https?:\/\/[^/?#@\s]+(\/[^/?#\s]+)*\/?$/.test(url) && URL.canParse(url),
    "must be an http or https URL without a query, such as https://app.example/support",
  )
  .transform((url) => new URL(url).href.replace(/\/$/, ""));

/** Whether the process runs on Deno Deploy, which sets these variables. */
export function isDeploy(env: { DENO_DEPLOY?: string; DENO_DEPLOYMENT_ID?: string }): boolean {
  return env.DENO_DEPLOYMENT_ID !== undefined || env.DENO_DEPLOY !== undefined;
}

/** Whether `KV_PATH` is the URL of a KV Connect server and not a file path. */
export function isKvConnectUrl(kvPath: string): boolean {
  return /^https?:\/\//i.test(kvPath);
}

const claimName = text().matching(
  /^[^\s\p{Cc}]{1,200}$/u,
  "must be the name of a claim, without spaces",
);

/** The environment variables that Deskhand reads; all others are ignored. */
const shape = {
  HOST: text().default("127.0.0.1"),
  PORT: integer(0, 65_535).default(8000),
  // Deno splits lists of permissions at commas, and `deno task` splits arguments at spaces.
  KV_PATH: text()
    .matching(/^[^:\s,][^\s,]*$/, "must be a file path or URL without spaces or commas")
    .check(
      (path) => !isKvConnectUrl(path) || isHttpUrl(path),
      "must be a file path, or an https URL without user name, password or fragment",
    ).optional(),
  DENO_KV_ACCESS_TOKEN: text().optional(),
  SUPPORT_DESK_URL: httpUrl("https://desk.example")
    .check((url) => !url.includes("?"), "must not have a query")
    .maxLength(MAX_DESK_URL_LENGTH).optional(),
  SUPPORT_DESK_TOKEN: text()
    .matching(/^[\x21-\x7e]+$/, "must consist of visible ASCII characters without spaces")
    .optional(),
  SUPPORT_DESK_QUEUE: text().maxLength(200).optional(),
  SUPPORT_DESK_LABEL: text().maxLength(MAX_LABEL_LENGTH)
    .matching(/^\P{Cc}*$/u, "must be a single line").default("Support desk"),
  SUPPORT_DESK_REFERENCE_FIELD: text()
    .matching(
      /^[^{}'"\\\p{Cc}]{1,200}$/u,
      "must be the name of a custom field, without quotes, braces or backslashes",
    )
    .default("SupportRef"),
  SUPPORT_DESK_TIMEOUT_MS: integer(100, 5000).default(5000),
  SUPPORT_DESK_REQUESTOR: oneOf(["token", "contact", "none"], "must be token, contact or none")
    .default("token"),
  SUPPORT_DESK_PRIORITIES: Priorities.optional(),
  SUPPORT_DESK_MAX_CONCURRENCY: integer(1, 1000).default(16),
  AUTH_SECRET: text().check(
    (secret) => new TextEncoder().encode(secret).length >= 32,
    "must be at least 32 bytes, such as the output of 'openssl rand -base64 48'",
  ).optional(),
  AUTH_JWKS_URL: httpUrl("https://id.example/.well-known/jwks.json").optional(),
  AUTH_ISSUER: text().optional(),
  AUTH_AUDIENCE: text().optional(),
  AUTH_TENANTS_CLAIM: claimName.default("tenants"),
  AUTH_SCOPES_CLAIM: claimName.default("scope"),
  ALLOW_HTTP_HOSTS: HttpHosts.default([]),
  CORS_ORIGINS: Origins.default([]),
  PUBLIC_URL: PublicUrl.optional(),
  RATE_LIMIT_PER_MINUTE: integer(0, 1_000_000).default(30),
  RETENTION_DAYS: integer(1, 36_500).optional(),
  LOG_LEVEL: oneOf(["debug", "info", "warn", "error"], "must be debug, info, warn or error")
    .default("info"),
  LOG_FORMAT: oneOf(["json", "journald"], "must be json or journald").default("json"),
  OTEL_DENO: text().optional(),
  DENO_DEPLOYMENT_ID: text().optional(),
  DENO_DEPLOY: text().optional(),
};

/** Texts of the variables that are set, and the rules that they may break together. */
type Texts = Partial<Record<keyof typeof shape, string>>;
interface SharedRule {
  names: string;
  isMet(texts: Texts): boolean;
  rule: string;
}

function countSet(...values: unknown[]): number {
  return values.filter((value) => value !== undefined).length;
}

const SHARED_RULES: SharedRule[] = [
  {
    names: "SUPPORT_DESK_URL, SUPPORT_DESK_TOKEN, SUPPORT_DESK_QUEUE",
    isMet: (env) =>
      [0, 3].includes(
        countSet(env.SUPPORT_DESK_URL, env.SUPPORT_DESK_TOKEN, env.SUPPORT_DESK_QUEUE),
      ),
    rule: "must all be set, or all be unset to run without a desk",
  },
  {
    names: "AUTH_SECRET, AUTH_JWKS_URL",
    isMet: (env) => countSet(env.AUTH_SECRET, env.AUTH_JWKS_URL) === 1,
    rule: "exactly one must be set: a shared secret or the URL of a key set",
  },
  {
    names: "KV_PATH",
    isMet: (env) => isDeploy(env) || env.KV_PATH !== undefined,
    rule: "must be a file path such as ./deskhand.kv or the URL of a KV Connect server",
  },
  {
    names: "KV_PATH",
    isMet: (env) => !isDeploy(env) || env.KV_PATH === undefined || isKvConnectUrl(env.KV_PATH),
    rule: "must be unset on Deno Deploy, where a file is lost with the process: assign a Deno KV " +
      "database to the app",
  },
  {
    names: "DENO_KV_ACCESS_TOKEN",
    isMet: (env) => !isKvConnectUrl(env.KV_PATH ?? "") || env.DENO_KV_ACCESS_TOKEN !== undefined,
    rule: "must be set if KV_PATH is the URL of a KV Connect server",
  },
  {
    names: "AUTH_ISSUER, AUTH_AUDIENCE",
    isMet: (env) =>
      env.AUTH_JWKS_URL === undefined || countSet(env.AUTH_ISSUER, env.AUTH_AUDIENCE) === 2,
    rule: "must both be set if AUTH_JWKS_URL is set: an identity provider signs tokens for other " +
      "services with the same keys",
  },
  ...(["KV_PATH", "SUPPORT_DESK_URL", "AUTH_JWKS_URL"] as const).map((names) => ({
    names,
    isMet: ({ [names]: url, ALLOW_HTTP_HOSTS }: Texts) => isSafeOrInvalid(url, ALLOW_HTTP_HOSTS),
    rule: "must use https: plain http is allowed only for localhost, and for the hosts that " +
      "ALLOW_HTTP_HOSTS lists",
  })),
];

/** An invalid URL or list is reported by its own rule; without the list no URL can be judged. */
function isSafeOrInvalid(url: string | undefined, allowedHosts: string | undefined): boolean {
  const hosts = shape.ALLOW_HTTP_HOSTS.safeParse(allowedHosts);
  return url === undefined || !hosts.success || !isHttpUrl(url) || isSafeInTransit(url, hosts.data);
}

/** The values of {@linkcode shape}. */
export type Environment = {
  [Name in keyof typeof shape]: typeof shape[Name] extends Variable<infer T> ? T : never;
};

/** One rule that the environment breaks. */
export interface ConfigProblem {
  /** The variables that the rule is about, separated by commas. */
  names: string;
  /** The rule, beginning with "must" or "exactly one must". Never contains a value. */
  rule: string;
}

export const Environment = {
  /** The variables that Deskhand reads. */
  shape,

  /** Parses the variables that are set. Reports every broken rule. */
  safeParse(
    env: Record<string, string>,
  ): { success: true; data: Environment } | { success: false; problems: ConfigProblem[] } {
    const parsed = Object.entries<Variable<unknown>>(shape).map(([names, variable]) => ({
      names,
      result: variable.safeParse(env[names]),
    }));
    const problems = [
      ...parsed.flatMap(({ names, result }) =>
        result.success ? [] : result.rules.map((rule) => ({ names, rule }))
      ),
      ...SHARED_RULES.filter(({ isMet }) => !isMet(env)).map(({ names, rule }) => ({
        names,
        rule,
      })),
    ];
    if (problems.length > 0) return { success: false, problems };
    const values = parsed.map(({ names, result }) => [names, result.data]);
    return { success: true, data: Object.fromEntries(values) };
  },
};
