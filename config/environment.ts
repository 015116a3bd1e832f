import * as z from "zod";
import { HttpHosts, isHttpUrl, isSafeInTransit } from "./http_hosts.ts";
import { Origins } from "./origins.ts";

/** The prefix of every ticket URL, which must fit into a record beside the largest submission. */
export const MAX_DESK_URL_LENGTH = 2_000;
/** The longest desk label with which every summary of a failure fits into 200 characters. */
export const MAX_LABEL_LENGTH = 40;

/** An http or https URL. The rule about `ALLOW_HTTP_HOSTS` below decides where http is safe. */
function httpUrl(example: string): z.ZodType<string> {
  return z.string().refine(
    isHttpUrl,
    `must be an https URL such as ${example}, without user name, password or fragment`,
  );
}

function integer(min: number, max: number): z.ZodType<number, string> {
  const rule = `must be a whole number from ${min} to ${max}`;
  return z.string().regex(/^\d{1,9}$/, rule).transform(Number)
    .refine((number) => number >= min && number <= max, rule);
}

/** The URL that clients use. Nothing is sent to it, so plain http is accepted for any host. */
const PublicUrl = z.string()
  .refine(
    (text) => /^https?:\/\/[^/?#@\s]+(\/[^/?#\s]+)*\/?$/.test(text) && URL.canParse(text),
    "must be an http or https URL without a query, such as https://app.example/support",
  )
  .transform((text) => new URL(text).href.replace(/\/$/, ""));

/** Parses `SUPPORT_DESK_PRIORITIES`. Rejects a repeated severity, so that no entry is ignored. */
const Priorities = z.string().transform((text, context) => {
  const pairs = text.split(",").map((pair) =>
    /^\s*(low|normal|high|critical)\s*:\s*(\d{1,6})\s*$/.exec(pair)
  );
  const severities = new Set(pairs.map((pair) => pair?.[1]));
  if (pairs.includes(null) || severities.size < pairs.length) {
    context.addIssue(
      "must list each severity at most once with a number, such as low:10,normal:30,high:60,critical:90",
    );
    return z.NEVER;
  }
  return Object.fromEntries(pairs.map((pair) => [pair![1], Number(pair![2])]));
});

/** Whether the process runs on Deno Deploy, which sets these variables. */
export function isDeploy(env: { DENO_DEPLOY?: string; DENO_DEPLOYMENT_ID?: string }): boolean {
  return env.DENO_DEPLOYMENT_ID !== undefined || env.DENO_DEPLOY !== undefined;
}

/** Whether `KV_PATH` is the URL of a KV Connect server and not a file path. */
export function isKvConnectUrl(kvPath: string): boolean {
  return /^https?:\/\//i.test(kvPath);
}

const claimName = z.string().regex(
  /^[^\s\p{Cc}]{1,200}$/u,
  "must be the name of a claim, without spaces",
);

function countSet(...values: unknown[]): number {
  return values.filter((value) => value !== undefined).length;
}

const PLAIN_HTTP_RULE =
  "must use https: plain http is allowed only for localhost, and for the hosts that " +
  "ALLOW_HTTP_HOSTS lists";

/** Reports the rules over several variables together with those over one. */
const always = { when: () => true };

/** The environment variables that Deskhand reads; all others are ignored. */
export const Environment = z.object({
  HOST: z.string().default("127.0.0.1"),
  PORT: integer(0, 65_535).default(8000),
  // Deno splits lists of permissions at commas, and `deno task` splits arguments at spaces.
  KV_PATH: z.string()
    .regex(/^[^:\s,][^\s,]*$/, "must be a file path or URL without spaces or commas")
    .refine(
      (path) => !isKvConnectUrl(path) || isHttpUrl(path),
      "must be a file path, or an https URL without user name, password or fragment",
    ).optional(),
  DENO_KV_ACCESS_TOKEN: z.string().optional(),
  SUPPORT_DESK_URL: httpUrl("https://desk.example").refine(
    (text) => !text.includes("?"),
    "must not have a query",
  ).refine(
    (text) => text.length <= MAX_DESK_URL_LENGTH,
    `must be at most ${MAX_DESK_URL_LENGTH} characters`,
  ).optional(),
  SUPPORT_DESK_TOKEN: z.string().regex(
    /^[\x21-\x7e]+$/,
    "must consist of visible ASCII characters without spaces",
  )
    .optional(),
  SUPPORT_DESK_QUEUE: z.string().max(200, "must be at most 200 characters").optional(),
  SUPPORT_DESK_LABEL: z.string()
    .max(MAX_LABEL_LENGTH, `must be at most ${MAX_LABEL_LENGTH} characters`)
    .regex(/^\P{Cc}*$/u, "must be a single line").default("Support desk"),
  SUPPORT_DESK_REFERENCE_FIELD: z.string()
    .regex(
      /^[^{}'"\\\p{Cc}]{1,200}$/u,
      "must be the name of a custom field, without quotes, braces or backslashes",
    )
    .default("SupportRef"),
  SUPPORT_DESK_TIMEOUT_MS: integer(100, 5000).default(5000),
  SUPPORT_DESK_REQUESTOR: z.enum(
    ["token", "contact", "none"],
    "must be token, contact or none",
  ).default("token"),
  SUPPORT_DESK_PRIORITIES: Priorities.optional(),
  SUPPORT_DESK_MAX_CONCURRENCY: integer(1, 1000).default(16),
  AUTH_SECRET: z.string().refine(
    (secret) => new TextEncoder().encode(secret).length >= 32,
    "must be at least 32 bytes, such as the output of 'openssl rand -base64 48'",
  ).optional(),
  AUTH_JWKS_URL: httpUrl("https://id.example/.well-known/jwks.json").optional(),
  AUTH_ISSUER: z.string().optional(),
  AUTH_AUDIENCE: z.string().optional(),
  AUTH_TENANTS_CLAIM: claimName.default("tenants"),
  AUTH_SCOPES_CLAIM: claimName.default("scope"),
  ALLOW_HTTP_HOSTS: HttpHosts.default([]),
  CORS_ORIGINS: Origins.default([]),
  PUBLIC_URL: PublicUrl.optional(),
  RATE_LIMIT_PER_MINUTE: integer(0, 1_000_000).default(30),
  RETENTION_DAYS: integer(1, 36_500).optional(),
  LOG_LEVEL: z.enum(["debug", "info", "warn", "error"], "must be debug, info, warn or error")
    .default("info"),
  LOG_FORMAT: z.enum(["json", "journald"], "must be json or journald").default("json"),
  OTEL_DENO: z.string().optional(),
  DENO_DEPLOYMENT_ID: z.string().optional(),
  DENO_DEPLOY: z.string().optional(),
}).refine(
  (env) =>
    [0, 3].includes(
      countSet(env.SUPPORT_DESK_URL, env.SUPPORT_DESK_TOKEN, env.SUPPORT_DESK_QUEUE),
    ),
  {
    path: ["SUPPORT_DESK_URL, SUPPORT_DESK_TOKEN, SUPPORT_DESK_QUEUE"],
    error: "must all be set, or all be unset to run without a desk",
    ...always,
  },
).refine((env) => countSet(env.AUTH_SECRET, env.AUTH_JWKS_URL) === 1, {
  path: ["AUTH_SECRET, AUTH_JWKS_URL"],
  error: "exactly one must be set: a shared secret or the URL of a key set",
  ...always,
}).refine((env) => isDeploy(env) || env.KV_PATH !== undefined, {
  path: ["KV_PATH"],
  error: "must be a file path such as ./deskhand.kv or the URL of a KV Connect server",
  ...always,
}).refine((env) => !isDeploy(env) || env.KV_PATH === undefined || isKvConnectUrl(env.KV_PATH), {
  path: ["KV_PATH"],
  error: "must be unset on Deno Deploy, where a file is lost with the process: assign a Deno KV " +
    "database to the app",
  ...always,
}).refine((env) => !isKvConnectUrl(env.KV_PATH ?? "") || env.DENO_KV_ACCESS_TOKEN !== undefined, {
  path: ["DENO_KV_ACCESS_TOKEN"],
  error: "must be set if KV_PATH is the URL of a KV Connect server",
  ...always,
}).refine(
  (env) => env.AUTH_JWKS_URL === undefined || countSet(env.AUTH_ISSUER, env.AUTH_AUDIENCE) === 2,
  {
    path: ["AUTH_ISSUER, AUTH_AUDIENCE"],
    error:
      "must both be set if AUTH_JWKS_URL is set: an identity provider signs tokens for other " +
      "services with the same keys",
    ...always,
  },
).superRefine((env, context) => {
  const hosts: unknown = env.ALLOW_HTTP_HOSTS;
  // An invalid list is reported by its own rule; the URLs cannot be judged without it.
  if (!Array.isArray(hosts)) return;
  for (const name of ["KV_PATH", "SUPPORT_DESK_URL", "AUTH_JWKS_URL"] as const) {
    const url = env[name];
    if (url === undefined || !isHttpUrl(url) || isSafeInTransit(url, hosts)) continue;
    context.addIssue({ code: "custom", path: [name], message: PLAIN_HTTP_RULE });
  }
}, always);
export type Environment = z.infer<typeof Environment>;
