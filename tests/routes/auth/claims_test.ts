import { assertEquals } from "@std/assert";
import { SignJWT } from "jose";
import { parseClaims } from "../../../routes/auth/claims.ts";
import { startFakeDesk } from "../../demo/fake_desk.ts";
import { ALL_SCOPES } from "../../demo/token.ts";
import { AUTH_SECRET, deskEnv, TENANT } from "../../support/constants.ts";
import { openService } from "../../support/service.ts";
import { assertProblem } from "../assert_problem.ts";

const NAMES = { tenantsClaim: "tenants", scopesClaim: "scope" };
const SCOPES = ALL_SCOPES.split(" ");

interface Provider {
  name: string;
  header: { alg: "HS256"; typ?: string; kid?: string };
  claims: Record<string, unknown>;
  env: { AUTH_TENANTS_CLAIM?: string; AUTH_SCOPES_CLAIM?: string };
}

/** Access tokens with the header and claims of each provider, shortened. */
const PROVIDERS: Provider[] = [
  {
    name: "Entra ID, delegated permissions (scp is a string)",
    header: { alg: "HS256", typ: "JWT", kid: "nOo3ZDrODXEK1jKWhXslHR_KXEg" },
    claims: {
      iss: "https://login.microsoftonline.com/8d3f2ac2-7c1b-4bd5-9c3d-9a3c1a0f7f11/v2.0",
      aud: "6e74172b-be56-4843-9ff4-e66a39bb12e3",
      azp: "b14a7505-96e9-4927-91e8-0601d0fc9caa",
      name: "Ada Lovelace",
      oid: "690222be-ff1a-4d56-abd1-7e4f7d38e474",
      preferred_username: "ada@acme.example",
      scp: ALL_SCOPES,
      sub: "HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ",
      tid: "8d3f2ac2-7c1b-4bd5-9c3d-9a3c1a0f7f11",
      extension_tenant: ["acme"],
      uti: "fqiBqXLPj0eQa82S-IYFAA",
      ver: "2.0",
    },
    env: { AUTH_SCOPES_CLAIM: "scp", AUTH_TENANTS_CLAIM: "extension_tenant" },
  },
  {
    name: "Entra ID, application permissions (roles is an array)",
    header: { alg: "HS256", typ: "JWT", kid: "nOo3ZDrODXEK1jKWhXslHR_KXEg" },
    claims: {
      iss: "https://sts.windows.net/8d3f2ac2-7c1b-4bd5-9c3d-9a3c1a0f7f11/",
      aud: "api://deskhand",
      appid: "b14a7505-96e9-4927-91e8-0601d0fc9caa",
      idtyp: "app",
      roles: SCOPES,
      sub: "690222be-ff1a-4d56-abd1-7e4f7d38e474",
      tid: "acme",
      ver: "1.0",
    },
    env: { AUTH_SCOPES_CLAIM: "roles", AUTH_TENANTS_CLAIM: "tid" },
  },
  {
    name: "Okta (scp is an array)",
    header: { alg: "HS256", kid: "lYd6KZkN0e4Y5kS1oZ8cZ0t0c3tG4qfXqVxqPqk9qAk" },
    claims: {
      ver: 1,
      jti: "AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE",
      iss: "https://acme.okta.example/oauth2/default",
      aud: "api://default",
      cid: "nmdP1fcyvdVO11AL7ECm",
      uid: "00ugrenMeqvYla4HW0g3",
      scp: SCOPES,
      sub: "ada@acme.example",
      groups: ["Everyone", "acme"],
    },
    env: { AUTH_SCOPES_CLAIM: "scp", AUTH_TENANTS_CLAIM: "groups" },
  },
  {
    name: "Auth0 (permissions, a namespaced claim)",
    header: {
      alg: "HS256",
      typ: "JWT",
      kid: "NjVBRjY5MDlCMUIwNzU4RTA2QzZFMDQ4QzQ2MDAyQjVDNjk1RTM2Qg",
    },
    claims: {
      "iss": "https://acme.eu.auth0.example/",
      "sub": "auth0|60fa05fbf8b6e00070d8d8c1",
      "aud": ["deskhand", "https://acme.eu.auth0.example/userinfo"],
      "azp": "my_client_id",
      "scope": "openid profile email",
      "permissions": SCOPES,
      "https://acme.example/tenants": ["acme"],
    },
    env: {
      AUTH_SCOPES_CLAIM: "permissions",
      AUTH_TENANTS_CLAIM: "https://acme.example/tenants",
    },
  },
  {
    name: "Auth0, profile of RFC 9068 (at+jwt, scope)",
    header: {
      alg: "HS256",
      typ: "at+jwt",
      kid: "NjVBRjY5MDlCMUIwNzU4RTA2QzZFMDQ4QzQ2MDAyQjVDNjk1RTM2Qg",
    },
    claims: {
      iss: "https://acme.eu.auth0.example/",
      sub: "auth0|60fa05fbf8b6e00070d8d8c1",
      aud: "deskhand",
      client_id: "my_client_id",
      jti: "WoUJcMzzKQ8sIYJrqGr9Jr",
      scope: `openid ${ALL_SCOPES}`,
      org_id: "acme",
    },
    env: { AUTH_TENANTS_CLAIM: "org_id" },
  },
  {
    name: "Keycloak, client scopes (scope is a string)",
    header: { alg: "HS256", typ: "JWT", kid: "HpSmAGpQAJsSjCyDdgRKXBw1cfSWkzSFx9e9MPY8kEY" },
    claims: {
      jti: "onrtac:8b5ba8ed-e8b8-4d8d-8a9b-0c4ac2b1ec7a",
      iss: "https://sso.acme.example/realms/acme",
      aud: ["deskhand", "account"],
      sub: "f1c3a0de-0b4c-4a4e-8c2f-6d1b7f2f9d10",
      typ: "Bearer",
      azp: "portal",
      sid: "e6f2a6a5-54f2-4bd6-a9c8-5b2f3c1d8f60",
      acr: "1",
      scope: `profile email ${ALL_SCOPES}`,
      email_verified: true,
      name: "Ada Lovelace",
      email: "ada@acme.example",
      tenants: ["acme"],
    },
    env: {},
  },
  {
    name: "Keycloak, roles (a path of names)",
    header: { alg: "HS256", typ: "JWT", kid: "HpSmAGpQAJsSjCyDdgRKXBw1cfSWkzSFx9e9MPY8kEY" },
    claims: {
      iss: "https://sso.acme.example/realms/acme",
      aud: "account",
      sub: "f1c3a0de-0b4c-4a4e-8c2f-6d1b7f2f9d10",
      typ: "Bearer",
      realm_access: { roles: ["offline_access", "acme"] },
      resource_access: { deskhand: { roles: SCOPES }, account: { roles: ["view-profile"] } },
      scope: "profile email",
    },
    env: {
      AUTH_SCOPES_CLAIM: "resource_access.deskhand.roles",
      AUTH_TENANTS_CLAIM: "realm_access.roles",
    },
  },
];

for (const { name, header, claims, env } of PROVIDERS) {
  Deno.test(`a token as issued by ${name} gives access to its tenant with its scopes`, async () => {
    await using service = await openService({ env });
    const sign = (claims: Record<string, unknown>) =>
      new SignJWT(claims).setProtectedHeader(header).setIssuedAt().setExpirationTime("1 hour")
        .sign(new TextEncoder().encode(AUTH_SECRET));
    const token = await sign(claims);
    const response = await service.call(TENANT, { token, json: { summary: "Help" } });
    assertEquals(response.status, 201);
    assertEquals((await response.json()).createdBy.id, claims.sub);
    const other = await service.call("/v1/tenants/globex/support-requests/latest", { token });
    await assertProblem(other, 404, "not-found");
    const json = JSON.stringify(claims).replaceAll("support_requests:create", "x:create");
    const powerless = await sign(JSON.parse(json));
    await assertProblem(
      await service.call(TENANT, { token: powerless, json: { summary: "Help" } }),
      403,
      "insufficient-scope",
    );
  });
}

const CLAIMS = { sub: "u-1", exp: 1, tenants: ["acme"], scope: "a b" };

function tenantsOf(payload: Record<string, unknown>, tenantsClaim = "tenants") {
  const parsed = parseClaims({ ...CLAIMS, ...payload }, { ...NAMES, tenantsClaim });
  return parsed.outcome === "valid" ? [...parsed.claims.tenants] : String(parsed.claim);
}

Deno.test("a list claim is an array or space-separated, and invalid members are ignored", () => {
  for (
    const [tenants, expected] of [
      [["acme", "globex"], ["acme", "globex"]],
      ["acme globex", ["acme", "globex"]],
      ["  acme   globex ", ["acme", "globex"]],
      ["acme", ["acme"]],
      ["acme,globex", []],
      ["acme\tglobex", []],
      ["", []],
      [[], []],
      [["acme globex", 7, null, {}, ["x"], "a/b", "globex"], ["globex"]],
      [7, "tenants"],
      [null, "tenants"],
      [{ acme: true }, "tenants"],
      [true, "tenants"],
    ] as [unknown, string[] | string][]
  ) assertEquals(tenantsOf({ tenants }), expected, JSON.stringify(tenants));
});

Deno.test("a claim is found by its full name first, and a URL is never a path", () => {
  const nested = { a: { b: { c: ["acme"] } } };
  const url = "https://acme.example/tenants";
  for (
    const [claim, payload, expected] of [
      ["a.b.c", nested, ["acme"]],
      ["a.b.c", { ...nested, "a.b.c": ["globex"] }, ["globex"]],
      ["a.b", nested, "tenants"],
      ["a.b.c.d", nested, []],
      ["a.x", nested, []],
      ["a..c", nested, []],
      ["a.b.c", { a: null }, []],
      ["a.b.c", { a: "b" }, []],
      ["a.b.c.0", nested, []],
      ["a.b.c.length", nested, []],
      ["a.constructor", { a: {} }, []],
      ["__proto__", {}, []],
      ["toString", {}, []],
      [url, { [url]: ["acme"] }, ["acme"]],
      [url, { "https://acme": { "example/tenants": ["acme"] } }, []],
      ["cognito:groups", { "cognito:groups": ["acme"] }, ["acme"]],
      ["urn:x.y", { "urn:x": { y: ["acme"] } }, []],
      ["acme.example/t", { acme: { "example/t": ["acme"] } }, []],
    ] as [string, Record<string, unknown>, string | string[]][]
  ) assertEquals(tenantsOf(payload, claim), expected, claim);
});

Deno.test("a name without a visible character is ignored, so that people see the ID", () => {
  const names = { tenantsClaim: "tenants", scopesClaim: "scope" };
  const claims = { sub: "u-1", exp: 2e9, tenants: "acme", scope: "" };
  for (
    const name of ["", " ", "\0", "\u200b", "\u202e\u202c", "\ufeff \u00ad", "\u3164", "\u2800"]
  ) {
    const parsed = parseClaims({ ...claims, name }, names);
    assertEquals(parsed.outcome === "valid" && parsed.claims.actor, { id: "u-1" });
  }
});

Deno.test("a token's email is used if it is one address and not marked as unverified", () => {
  const email = "r&d@acme.example";
  for (
    const [claims, expected] of [
      [{ email }, email],
      [{ email, email_verified: true }, email],
      [{ email, email_verified: "true" }, email],
      [{ email, email_verified: null }, email],
      [{ email, email_verified: false }, undefined],
      [{ email, email_verified: "false" }, undefined],
      [{ email, email_verified: "False" }, undefined],
      [{ email, email_verified: 0 }, undefined],
      [{ email: "ada@intranet" }, "ada@intranet"],
      [{ email: "ada@acme.example, eve@evil.example" }, undefined],
      [{ email: "Ada <ada@acme.example>" }, undefined],
      [{ email: "ada@acme.example\nBcc: eve@evil.example" }, undefined],
      [{ email: " ada@acme.example\n" }, "ada@acme.example"],
      [{ email: "ada@bücher.example" }, "ada@xn--bcher-kva.example"],
      // Without the invisible characters, they would be the address of somebody else.
      [{ email: "ad\u200ba@acme.example" }, undefined],
      [{ email: "ada\u00ad@acme.example" }, undefined],
      [{ email: "\u202eada@acme.example" }, undefined],
      [{ email: "ada@ac\u200bme.example" }, undefined],
      [{ email: "ad\u001b[31ma@acme.example" }, undefined],
      [{ email: ["ada@acme.example"] }, undefined],
      [{ email: "" }, undefined],
      [{ email: `${"a".repeat(250)}@acme.example` }, undefined],
      [{}, undefined],
    ] as [Record<string, unknown>, string | undefined][]
  ) {
    const parsed = parseClaims({ ...CLAIMS, ...claims }, NAMES);
    assertEquals(
      parsed.outcome === "valid" ? parsed.claims.requestorEmail : parsed,
      expected,
      JSON.stringify(claims),
    );
  }
});

Deno.test("a token's email is stored only for the desk, and no response shows it", async () => {
  const desk = startFakeDesk();
  const kv = await Deno.openKv(":memory:");
  try {
    await using service = await openService({
      kv,
      env: {
        ...deskEnv(desk),
      },
    });
    const email = "planted@acme.example";
    const token = await new SignJWT({ ...CLAIMS, exp: undefined, scope: ALL_SCOPES, email })
      .setProtectedHeader({ alg: "HS256" }).setExpirationTime("1 hour")
      .sign(new TextEncoder().encode(AUTH_SECRET));
    const stored = async (mode: string) => {
      const json = { summary: "Help", handoff: { mode, ...mode === "link" && { ticket: "7" } } };
      const response = await service.call(TENANT, { token, json });
      assertEquals(response.status, 201);
      const text = await response.text() +
        await (await service.call(`${TENANT}/latest`, { token })).text() +
        await (await service.call("/v1/tenants/acme/audit-events", { token })).text() +
        JSON.stringify(service.lines);
      assertEquals(text.includes("planted"), false, text);
      const records = await Array.fromAsync(kv.list({ prefix: [] }));
      return records.filter(({ value }) => JSON.stringify(value)?.includes(email))
        .map(({ key }) => key[0]);
    };
    assertEquals(await stored("none"), []);
    assertEquals(await stored("link"), []);
    assertEquals(await stored("create"), ["tenant"]);
  } finally {
    kv.close();
    await desk.close();
  }
});
