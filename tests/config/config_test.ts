import { assert, assertEquals, assertFalse, assertStringIncludes, assertThrows } from "@std/assert";
import { InvalidConfigError, parseConfig } from "../../config/config.ts";
import { DESK, JWKS, parse, rejectedNames, SECRET } from "./fixtures.ts";

Deno.test("parseConfig requires a secret and a KV path, and has defaults for the rest", () => {
  assertEquals(parse(), {
    listen: { hostname: "127.0.0.1", port: 8000 },
    kv: { kind: "file", path: "./deskhand.kv" },
    desk: null,
    deskTimeoutMs: 5000,
    auth: {
      secret: SECRET,
      jwksUrl: undefined,
      issuer: undefined,
      audience: undefined,
      tenantsClaim: "tenants",
      scopesClaim: "scope",
    },
    allowHttpHosts: [],
    corsOrigins: [],
    publicUrl: null,
    rateLimitPerMinute: 30,
    retentionDays: null,
    log: { level: "info", isBatched: true, hasPriorities: false },
    isTraced: false,
  });
});

Deno.test("parseConfig reads every variable", () => {
  const config = parse({
    ...JWKS,
    ...DESK,
    HOST: "0.0.0.0",
    PORT: "0",
    SUPPORT_DESK_LABEL: "Acme IT desk",
    SUPPORT_DESK_REFERENCE_FIELD: "Deskhand Ref",
    SUPPORT_DESK_TIMEOUT_MS: "300",
    SUPPORT_DESK_MAX_CONCURRENCY: "4",
    SUPPORT_DESK_REQUESTOR: "contact",
    SUPPORT_DESK_PRIORITIES: "low:10, critical:90",
    AUTH_TENANTS_CLAIM: "https://acme.example/tenants",
    AUTH_SCOPES_CLAIM: "realm_access.roles",
    ALLOW_HTTP_HOSTS: "Desk.internal, [fd00:0::7],bücher.internal,",
    CORS_ORIGINS: "https://app.example, http://localhost:3000,",
    PUBLIC_URL: "https://app.example/support/",
    RATE_LIMIT_PER_MINUTE: "0",
    RETENTION_DAYS: "30",
    LOG_LEVEL: "warn",
    LOG_FORMAT: "journald",
    OTEL_DENO: "true",
  });
  assertEquals(config, {
    listen: { hostname: "0.0.0.0", port: 0 },
    kv: { kind: "file", path: "./deskhand.kv" },
    desk: {
      url: DESK.SUPPORT_DESK_URL,
      token: DESK.SUPPORT_DESK_TOKEN,
      queue: "Support",
      label: "Acme IT desk",
      referenceField: "Deskhand Ref",
      requestor: "contact",
      priorities: { low: 10, critical: 90 },
      maxConcurrency: 4,
    },
    deskTimeoutMs: 300,
    auth: {
      secret: undefined,
      jwksUrl: JWKS.AUTH_JWKS_URL,
      issuer: "https://id.example",
      audience: "deskhand",
      tenantsClaim: "https://acme.example/tenants",
      scopesClaim: "realm_access.roles",
    },
    allowHttpHosts: ["desk.internal", "[fd00::7]", "xn--bcher-kva.internal"],
    corsOrigins: ["https://app.example", "http://localhost:3000"],
    publicUrl: "https://app.example/support",
    rateLimitPerMinute: 0,
    retentionDays: 30,
    log: { level: "warn", isBatched: false, hasPriorities: true },
    isTraced: true,
  });
});

Deno.test("parseConfig has defaults for the optional variables of a desk", () => {
  const { url: _, token: __, queue: ___, ...defaults } = parse(DESK).desk!;
  assertEquals(defaults, {
    label: "Support desk",
    referenceField: "SupportRef",
    requestor: "token",
    priorities: undefined,
    maxConcurrency: 16,
  });
});

for (
  const priorities of ["low", "low:", "urgent:1", "low:1,low:2", "low:-1", "low:1;high:2", ","]
) {
  Deno.test(`parseConfig rejects the priorities ${priorities}`, () => {
    assertEquals(rejectedNames({ ...DESK, SUPPORT_DESK_PRIORITIES: priorities }), [
      "SUPPORT_DESK_PRIORITIES",
    ]);
  });
}

Deno.test("parseConfig rejects an unknown requestor", () => {
  assertEquals(rejectedNames({ ...DESK, SUPPORT_DESK_REQUESTOR: "email" }), [
    "SUPPORT_DESK_REQUESTOR",
  ]);
});

Deno.test("parseConfig treats an empty variable as unset", () => {
  const names = [...Object.keys(DESK), "HOST", "PORT", "SUPPORT_DESK_LABEL", "AUTH_JWKS_URL"]
    .concat(
      "AUTH_ISSUER",
      "CORS_ORIGINS",
      "PUBLIC_URL",
      "RETENTION_DAYS",
      "LOG_LEVEL",
      "LOG_FORMAT",
      "DENO_DEPLOY",
    );
  const empty = Object.fromEntries(names.map((name) => [name, ""]));
  assertEquals(parse(empty), parse());
  assertEquals(rejectedNames({ AUTH_SECRET: "", KV_PATH: "" }), [
    "AUTH_SECRET, AUTH_JWKS_URL",
    "KV_PATH",
  ]);
});

Deno.test("parseConfig ignores variables that it does not know", () => {
  assertEquals(parse({ PATH: "/bin", AUTH_SECRETS: "x", SUPPORT_DESK_COLOUR: "red" }), parse());
});

for (const name of ["DENO_DEPLOYMENT_ID", "DENO_DEPLOY"]) {
  Deno.test(`parseConfig leaves address and KV to Deno Deploy, which sets ${name}`, () => {
    const { listen, kv } = parse({ [name]: "1", KV_PATH: "", PORT: "8000", HOST: "0.0.0.0" });
    assertEquals({ listen, kv }, { listen: null, kv: { kind: "deploy" } });
  });
}

Deno.test("parseConfig rejects a KV file on Deno Deploy, which would lose it", () => {
  const deploy = { DENO_DEPLOY: "true" };
  assertEquals(rejectedNames({ ...deploy, KV_PATH: "./deskhand.kv" }), ["KV_PATH"]);
  const server = { KV_PATH: "https://kv.example", DENO_KV_ACCESS_TOKEN: "a token" };
  assertEquals(parse({ ...deploy, ...server }).kv, { kind: "connect", url: "https://kv.example" });
});

Deno.test("parseConfig reports every problem in one message, with the rule to follow", () => {
  const env = {
    PORT: "http",
    SUPPORT_DESK_URL: "http://desk.example",
    SUPPORT_DESK_TIMEOUT_MS: "60000",
    AUTH_SECRET: "short",
    AUTH_JWKS_URL: "id.example",
    RETENTION_DAYS: "0",
    LOG_LEVEL: "all",
    LOG_FORMAT: "text",
  };
  const names = [
    "PORT",
    "SUPPORT_DESK_TIMEOUT_MS",
    "AUTH_SECRET",
    "AUTH_JWKS_URL",
    "RETENTION_DAYS",
    "LOG_LEVEL",
    "LOG_FORMAT",
    "SUPPORT_DESK_URL, SUPPORT_DESK_TOKEN, SUPPORT_DESK_QUEUE",
    "AUTH_SECRET, AUTH_JWKS_URL",
    "KV_PATH",
    "AUTH_ISSUER, AUTH_AUDIENCE",
    "SUPPORT_DESK_URL",
  ];
  assertEquals(rejectedNames(env, {}), names);
  const { message } = assertThrows(() => parseConfig(env), InvalidConfigError);
  for (const line of message.split("\n").slice(1)) {
    assert(/: (exactly one )?must /.test(line), line);
  }
});

Deno.test("parseConfig never reports the value of a variable", () => {
  const env = {
    PORT: "planted-1",
    SUPPORT_DESK_URL: "https://planted-2:planted-3@desk.example/planted-4?planted-5",
    SUPPORT_DESK_TOKEN: "planted-6 planted-7",
    SUPPORT_DESK_LABEL: "planted-8".repeat(9),
    SUPPORT_DESK_TIMEOUT_MS: "planted-9",
    AUTH_SECRET: "planted-10",
    AUTH_JWKS_URL: "http://planted-11.example",
    CORS_ORIGINS: "planted-12",
    RATE_LIMIT_PER_MINUTE: "planted-13",
    RETENTION_DAYS: "planted-14",
    LOG_LEVEL: "planted-15",
    LOG_FORMAT: "planted-15",
    KV_PATH: "https://planted-16.example",
    PUBLIC_URL: "planted-17",
    DENO_KV_ACCESS_TOKEN: "",
    ALLOW_HTTP_HOSTS: "planted-17:80",
    AUTH_TENANTS_CLAIM: "planted 18",
  };
  const error = assertThrows(() => parseConfig(env), InvalidConfigError);
  for (const text of [error.message, error.stack!, Deno.inspect(error)]) {
    assertFalse(text.includes("planted"), text);
  }
  assertStringIncludes(error.message, "AUTH_SECRET: must be at least 32 bytes");
});
