import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { decodeJwt } from "jose";
import { createTokenVerifier } from "../../routes/auth/token_verifier.ts";
import { FakeClock } from "../support/clock.ts";
import { AUTH_SECRET } from "../support/constants.ts";
import { runTask } from "../support/task.ts";

Deno.test("deno task token prints only a token, and the service accepts it", async () => {
  const flags = [
    "--tenant",
    "acme",
    "--tenant",
    "globex",
    "--sub",
    "u-7",
    "--name",
    "Ada Lovelace",
  ];
  const { code, stdout, stderr } = await runTask("token", flags, {
    AUTH_SECRET,
    AUTH_ISSUER: "https://id.example",
    AUTH_AUDIENCE: "deskhand",
    AUTH_TENANTS_CLAIM: "https://acme.example/tenants",
    AUTH_SCOPES_CLAIM: "realm_access.roles",
  });
  assertEquals(code, 0, stderr);
  assertMatch(stderr, /^Configuration: AUTH_SECRET, .* from the environment\n/);
  assertMatch(stdout, /^[\w-]+\.[\w-]+\.[\w-]+\n$/);

  const verify = createTokenVerifier({
    secret: AUTH_SECRET,
    issuer: "https://id.example",
    audience: "deskhand",
    tenantsClaim: "https://acme.example/tenants",
    scopesClaim: "realm_access.roles",
    now: () => Date.now(),
    deadline: new FakeClock().deadline,
    fetch,
    log: { info: () => {}, warn: () => {}, error: () => {} },
  });
  const verification = await verify(stdout.trim());
  assert(verification.outcome === "valid");
  assertEquals(verification.claims, {
    actor: { id: "u-7", name: "Ada Lovelace" },
    tenants: new Set(["acme", "globex"]),
    scopes: new Set(["support_requests:create", "support_requests:read", "audit:read"]),
  });
});

Deno.test("deno task token prints a token with the given scope and lifetime", async () => {
  const flags = ["--scope", "support_requests:read", "--minutes", "5"];
  const { stdout } = await runTask("token", flags, { AUTH_SECRET });
  const { scope, iat, exp, tenants, sub, ...rest } = decodeJwt(stdout);
  assertEquals({ scope, tenants, sub, rest }, {
    scope: "support_requests:read",
    tenants: ["acme"],
    sub: "u-1",
    rest: {},
  });
  assertEquals(exp! - iat!, 5 * 60);
});

const ERRORS: [cause: string, env: Record<string, string>, flags: string[], message: string][] = [
  ["AUTH_SECRET is missing", {}, [], "set AUTH_SECRET"],
  ["AUTH_SECRET is too short", { AUTH_SECRET: "short" }, [], "must be at least 32 bytes"],
  [
    "the identity provider issues the tokens",
    { AUTH_JWKS_URL: "https://id.example/jwks.json" },
    [],
    "only the identity provider can issue tokens",
  ],
  [
    "a tenant id is invalid",
    { AUTH_SECRET },
    ["--tenant", "a/b"],
    "--tenant must be 1 to 128 letters",
  ],
  ["the lifetime is zero", { AUTH_SECRET }, ["--minutes", "0"], "--minutes must be a whole number"],
  ["a flag is unknown", { AUTH_SECRET }, ["--tennant", "acme"], "Usage: deno task token"],
];
for (const [cause, env, flags, message] of ERRORS) {
  Deno.test(`deno task token explains the error if ${cause}`, async () => {
    const { code, stdout, stderr } = await runTask("token", flags, env);
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, message);
    assertEquals(stderr.includes("short"), false, "a secret is printed");
  });
}
