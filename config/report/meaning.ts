import type { Config } from "../config.ts";
import { redactUrl } from "../redact.ts";

/** Describes what the service does with this configuration, one line each, without a secret. */
export function describeMeaning(config: Config): string[] {
  const rows: [string, string][] = [
    ["Listens on", listenText(config)],
    ["Stores requests in", kvText(config)],
    ["Hands off to", deskText(config)],
    ["Accepts", callersText(config)],
    ["Browser origins", config.corsOrigins.join(", ") || "none: only the service's own pages"],
    ["Rate limit", rateText(config)],
    ["Retention", config.retentionDays === null ? "unlimited" : `${config.retentionDays} days`],
    [
      "Telemetry",
      config.isTraced ? "OpenTelemetry, exported by Deno" : "off; OTEL_DENO=true exports it",
    ],
  ];
  const width = Math.max(...rows.map(([title]) => title.length));
  return rows.map(([title, text]) => `${title.padEnd(width)}  ${text}`);
}

function listenText({ listen, publicUrl }: Config): string {
  const via = publicUrl === null ? "" : `; clients use ${publicUrl}`;
  if (listen === null) return `the address that Deno Deploy chooses${via}`;
  const host = listen.hostname.includes(":") ? `[${listen.hostname}]` : listen.hostname;
  const port = listen.port === 0 ? "a free port" : String(listen.port);
  const isEverywhere = /^(0\.0\.0\.0|::)$/.test(listen.hostname);
  const reach = isEverywhere ? " (every network interface: put a reverse proxy in front)" : "";
  return `http://${host}:${port}${reach}${via}`;
}

function kvText({ kv }: Config): string {
  if (kv.kind === "file") return `the file ${kv.path}, for one process`;
  if (kv.kind === "connect") return `the KV Connect server at ${redactUrl(kv.url)}`;
  return "the database that Deno Deploy attaches";
}

const REQUESTOR = {
  token: "verified addresses of tokens only",
  contact: "the address that was typed, or else the token's",
  none: "nobody",
};

function deskText({ desk, deskTimeoutMs }: Config): string {
  if (desk === null) {
    return "nothing: without SUPPORT_DESK_URL, a handoff 'create' fails as desk_not_configured";
  }
  const { url, queue, label, requestor, maxConcurrency } = desk;
  return `Request Tracker at ${url}, queue '${queue}', shown as '${label}'; mail to ` +
    `${REQUESTOR[requestor]}; within ${deskTimeoutMs} ms, at most ${maxConcurrency} at a time`;
}

function callersText({ auth }: Config): string {
  const key = auth.jwksUrl === undefined
    ? "signed with AUTH_SECRET (HS256)"
    : `signed with a key of ${redactUrl(auth.jwksUrl)} (not contacted here)`;
  const issuer = auth.issuer === undefined ? "" : `, issued by ${redactUrl(auth.issuer)}`;
  const audience = auth.audience === undefined ? "" : ` for ${redactUrl(auth.audience)}`;
  return `tokens ${key}${issuer}${audience}; tenants in the claim '${auth.tenantsClaim}', scopes in ` +
    `'${auth.scopesClaim}'`;
}

function rateText({ rateLimitPerMinute: perMinute }: Config): string {
  return perMinute === 0 ? "off" : `${perMinute} submissions a minute per actor and tenant`;
}
