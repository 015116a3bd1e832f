import { assertEquals, assertMatch } from "@std/assert";
import { generateKeyPair, SignJWT } from "jose";
import { createTokenVerifier } from "../../../routes/auth/token_verifier.ts";
import { ALL_SCOPES, mintToken } from "../../demo/token.ts";
import { FakeClock } from "../../support/clock.ts";
import { AUTH_SECRET, TENANT } from "../../support/constants.ts";
import { openService } from "../../support/service.ts";
import { assertProblem } from "../assert_problem.ts";

const LATEST = `${TENANT}/latest`;

function base64url(data: string | Uint8Array): string {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

/** Signs a payload of JSON text, which can contain what a JavaScript object cannot. */
async function sign(payload: string, header: object = { alg: "HS256" }): Promise<string> {
  const text = `${base64url(JSON.stringify(header))}.${base64url(payload)}`;
  const key = await crypto.subtle.importKey(
    "raw",
    new TextEncoder().encode(AUTH_SECRET),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  const mac = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(text));
  return `${text}.${base64url(new Uint8Array(mac))}`;
}

const soon = () => Math.floor(Date.now() / 1000) + 3600;

/** Returns the payload of a valid token, with `claims` as JSON text instead; null omits one. */
function payload(claims: Record<string, string | null> = {}): string {
  const good = { sub: `"u-1"`, exp: `${soon()}`, tenants: `["acme"]`, scope: `"${ALL_SCOPES}"` };
  const members = Object.entries({ ...good, ...claims })
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `"${name}":${value}`);
  return `{${members.join(",")}}`;
}

Deno.test("a valid token gives access to the tenants that it names", async () => {
  await using service = await openService();
  const response = await service.call(LATEST, { token: await sign(payload()) });
  assertEquals(response.status, 200);
});

for (
  const [name, claims] of [
    ["exp is missing", { exp: null }],
    ["exp is null", { exp: "null" }],
    ["exp is a string", { exp: `"${soon()}"` }],
    ["exp is negative", { exp: "-1" }],
    ["exp is 0", { exp: "0" }],
    ["exp is beyond every date", { exp: "1e300" }],
    ["exp overflows a number", { exp: "1e999" }],
    ["exp is an array", { exp: "[9999999999]" }],
    ["nbf is in the future", { nbf: `${soon()}` }],
    ["nbf is a string", { nbf: `"0"` }],
    ["sub is missing", { sub: null }],
    ["sub is empty", { sub: `""` }],
    ["sub is a number", { sub: "7" }],
    ["sub is 256 characters", { sub: `"${"u".repeat(256)}"` }],
    ["sub has a line break", { sub: `"u\\n1"` }],
    ["sub has a NUL", { sub: `"u\\u0000"` }],
    ["sub has half of a surrogate pair", { sub: `"u\\ud800"` }],
    ["tenants is a number", { tenants: "7" }],
    ["tenants is null", { tenants: "null" }],
    ["tenants is an object", { tenants: `{"acme":true}` }],
    ["scope is an object", { scope: `{"support_requests:read":true}` }],
    ["scope is true", { scope: "true" }],
    ["scope is null", { scope: "null" }],
  ] as [string, Record<string, string | null>][]
) {
  Deno.test(`a token is rejected with 401 if ${name}`, async () => {
    await using service = await openService();
    const response = await service.call(LATEST, { token: await sign(payload(claims)) });
    await assertProblem(response, 401, "unauthenticated");
    assertEquals(response.headers.get("WWW-Authenticate"), 'Bearer error="invalid_token"');
  });
}

/** A clock that is stopped at the start of a second. */
function standingClock() {
  const start = Math.floor(Date.now() / 1000);
  const clock = new FakeClock({ now: start * 1000 });
  return { clock, start };
}

Deno.test("a token expires five seconds after exp, and the response says so", async () => {
  const { clock, start } = standingClock();
  await using service = await openService({ clock });
  for (
    const [exp, offset] of [[start + 10, 14_999], [start + 10.5, 15_000]] as const
  ) {
    clock.offset = 0;
    const token = await sign(payload({ exp: String(exp) }));
    // The second time, it is cached.
    for (const at of [0, offset]) {
      clock.offset = at;
      assertEquals((await service.call(LATEST, { token })).status, 200);
    }
    clock.offset = 16_000;
    const response = await service.call(LATEST, { token });
    assertEquals(response.headers.get("WWW-Authenticate"), 'Bearer error="invalid_token"');
    const { detail } = await assertProblem(response, 401, "unauthenticated");
    assertMatch(detail, /expired/);
  }
});

for (const claim of ["nbf", "iat"]) {
  Deno.test(`the ${claim} of a token may be five seconds ahead of our clock, and no more`, async () => {
    const { clock, start } = standingClock();
    await using service = await openService({ clock });
    for (const [ahead, status] of [[-3600, 200], [0, 200], [5, 200], [6, 401], [3600, 401]]) {
      const token = await sign(payload({ [claim]: String(start + ahead!) }));
      assertEquals((await service.call(LATEST, { token })).status, status, `${ahead}`);
    }
  });
}

for (
  const [status, types] of [
    [200, [undefined, "JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", "Application/JWT"]],
    [401, ["logout+jwt", "secevent+jwt", "id_token", "dpop+jwt", "refresh+jwt", "JOSE", "JWT "]],
    [401, ["", "at+jwt; x=1", "text/at+jwt", "application/application/jwt", null, 1, ["JWT"], {}]],
  ] as [number, unknown[]][]
) {
  Deno.test(`a token of the type ${types.map((typ) => JSON.stringify(typ)).join(", ")} is ${status}`, async () => {
    await using service = await openService();
    for (const typ of types) {
      const token = await sign(payload(), { alg: "HS256", typ });
      assertEquals((await service.call(LATEST, { token })).status, status, String(typ));
    }
  });
}

Deno.test("a cached token is rejected before its nbf after the clock jumped back", async () => {
  const clock = new FakeClock({ now: "real" });
  await using service = await openService({ clock });
  const token = await sign(payload({ nbf: String(Math.floor(Date.now() / 1000) - 1) }));
  assertEquals((await service.call(LATEST, { token })).status, 200);
  clock.offset = -60_000;
  await assertProblem(await service.call(LATEST, { token }), 401, "unauthenticated");
});

const OPTIONS = {
  secret: AUTH_SECRET,
  tenantsClaim: "tenants",
  scopesClaim: "scope",
  fetch,
  deadline: new FakeClock().deadline,
  log: { info: () => {}, warn: () => {}, error: () => {} },
};

/** Counts verified signatures. */
function countVerifications() {
  const { verify } = crypto.subtle;
  let count = 0;
  crypto.subtle.verify = (...args: unknown[]) => {
    count++;
    return Reflect.apply(verify, crypto.subtle, args);
  };
  return { count: () => count, [Symbol.dispose]: () => void (crypto.subtle.verify = verify) };
}

Deno.test("a valid token is verified again after a minute, and not earlier", async () => {
  using verified = countVerifications();
  const start = Date.now();
  let now = start;
  const verify = createTokenVerifier({ ...OPTIONS, now: () => now });
  const token = await mintToken(AUTH_SECRET);
  for (const [ms, count] of [[0, 1], [59_999, 1], [60_000, 2], [119_999, 2]] as const) {
    now = start + ms;
    assertEquals((await verify(token)).outcome, "valid");
    assertEquals(verified.count(), count);
  }
});

Deno.test("a token is verified again after a thousand others: the cache is bounded", async () => {
  using verified = countVerifications();
  const now = Date.now();
  const verify = createTokenVerifier({ ...OPTIONS, now: () => now });
  const tokens = await Promise.all(
    Array.from({ length: 1_001 }, (_, i) => mintToken(AUTH_SECRET, { sub: `u-${i}` })),
  );
  for (const token of tokens) await verify(token);
  await verify(tokens[1]!);
  assertEquals(verified.count(), 1_001);
  await verify(tokens[0]!);
  assertEquals(verified.count(), 1_002);
});

Deno.test("a token without tenants or scopes gives access to nothing", async () => {
  await using service = await openService();
  const without = await sign(payload({ tenants: null }));
  await assertProblem(await service.call(LATEST, { token: without }), 404, "not-found");
  const powerless = await sign(payload({ scope: null }));
  await assertProblem(await service.call(LATEST, { token: powerless }), 403, "insufficient-scope");
});

Deno.test("invalid tenants in a token are ignored, and valid ones count", async () => {
  await using service = await openService();
  const tenants = `[null, 7, {}, ["acme"], "../acme", "a/b", "", "acme"]`;
  const token = await sign(payload({ tenants }));
  assertEquals((await service.call(LATEST, { token })).status, 200);
  for (const path of ["a%2Fb", "null", "7", "%5Bobject%20Object%5D"]) {
    const response = await service.call(`/v1/tenants/${path}/support-requests/latest`, { token });
    await assertProblem(response, 404, "not-found");
  }
});

for (
  const [name, claim, shown] of [
    ["as it is", `"Ada Lovelace"`, "Ada Lovelace"],
    ["truncated to 120 characters, not to half of one", `"${"😀".repeat(121)}"`, "😀".repeat(120)],
    ["without control characters", `"A\\u0000da\\r\\nL\\u2028x\\ud800"`, "A da  L x"],
    ["not at all if it is blank", `" \\t "`, undefined],
    ["not at all if it is not a string", `{"first":"Ada"}`, undefined],
  ] as const
) {
  Deno.test(`an actor's name is shown ${name}`, async () => {
    await using service = await openService();
    const token = await sign(payload({ name: claim }));
    const { createdBy } = await (
      await service.call(TENANT, { token, json: { summary: "Help" } })
    ).json();
    assertEquals(createdBy, { id: "u-1", ...shown !== undefined && { name: shown } });
    const latest = await (await service.call(LATEST)).json();
    assertEquals(latest.supportRequest.createdBy, createdBy);
  });
}

Deno.test("a token with another algorithm, key or form is rejected", async () => {
  await using service = await openService();
  const good = await sign(payload());
  const [head, body, mac] = good.split(".") as [string, string, string];
  const { privateKey } = await generateKeyPair("ES256");
  const hs512 = new SignJWT({}).setProtectedHeader({ alg: "HS512" })
    .sign(new TextEncoder().encode(AUTH_SECRET.repeat(2)));
  const bad = [
    `${base64url(`{"alg":"none"}`)}.${base64url(payload())}.`,
    `${base64url(`{"alg":"none"}`)}.${body}.${mac}`,
    `${base64url(`{"alg":"NONE"}`)}.${body}.`,
    `${base64url(`{"alg":"HS256"}`)}.${body}.`,
    await mintToken("another secret of 32 bytes or more"),
    await mintToken(" "),
    await hs512,
    await new SignJWT(JSON.parse(payload())).setProtectedHeader({ alg: "ES256" }).sign(privateKey),
    await sign(payload(), { alg: "HS256", crit: ["exp"] }),
    await sign(payload(), { alg: "HS256", b64: false, crit: ["b64"] }),
    await sign("[]"),
    await sign("null"),
    await sign(""),
    `${head}.${body}`,
    `${head}.${body}.${mac}.${mac}`,
    `${head}.${base64url(payload({ tenants: `["theirs"]` }))}.${mac}`,
    `${body}.${head}.${mac}`,
    good.slice(0, -1),
    "..",
    "a.b.c",
    base64url("{}"),
  ].filter((token) => token !== good);
  for (const token of bad) {
    const response = await service.call(LATEST, { token });
    await assertProblem(response, 401, "unauthenticated");
  }
});

Deno.test("the Authorization header is accepted only in the form of RFC 6750", async () => {
  await using service = await openService();
  const token = await mintToken(AUTH_SECRET);
  const status = async (value: string) =>
    (await service.app.request(LATEST, { headers: { Authorization: value } })).status;
  for (const value of [`Bearer ${token}`, `bearer ${token}`, `BEARER  ${token}`]) {
    assertEquals(await status(value), 200, value);
  }
  for (
    const value of [
      "",
      "Bearer",
      "Bearer ",
      token,
      `Bearer${token}`,
      `Bearer\t${token}`,
      `Basic ${token}`,
      `Token ${token}`,
      `Bearer "${token}"`,
      `Bearer ${token}, Bearer ${token}`,
      `Bearer ${token} ${token}`,
      `Bearer ${"a".repeat(9000)}`,
      `Bearer ${token}${"a".repeat(9000)}`,
      `Bearer é${token}`,
    ]
  ) assertEquals(await status(value), 401, value.slice(0, 40));
});

Deno.test("the challenge has an error only if a token was sent, as RFC 6750 requires", async () => {
  await using service = await openService();
  const challenge = async (headers: HeadersInit) =>
    (await service.app.request(LATEST, { headers })).headers.get("WWW-Authenticate");
  for (
    const headers of [{}, { Authorization: "Basic dTpw" }, {
      Authorization: "Bearer ",
    }] as HeadersInit[]
  ) {
    assertEquals(await challenge(headers), "Bearer");
  }
  for (const token of ["rubbish", "a b", 'a"b', await mintToken("x".repeat(32))]) {
    const headers = { Authorization: `Bearer ${token}` };
    assertEquals(await challenge(headers), 'Bearer error="invalid_token"');
  }
  const foreign = await mintToken(AUTH_SECRET, { tenants: ["theirs"] });
  assertEquals(await challenge({ Authorization: `Bearer ${foreign}` }), null);
});

Deno.test("a token in the query or in a cookie is ignored", async () => {
  await using service = await openService();
  const token = await mintToken(AUTH_SECRET);
  const response = await service.app.request(`${LATEST}?access_token=${token}`, {
    headers: { Cookie: `token=${token}` },
  });
  await assertProblem(response, 401, "unauthenticated");
});

Deno.test("issuer and audience are checked if they are configured", async () => {
  await using service = await openService({
    env: { AUTH_ISSUER: "https://id.example", AUTH_AUDIENCE: "deskhand" },
  });
  const iss = `"https://id.example"`;
  for (const aud of [`"deskhand"`, `["other","deskhand"]`]) {
    const token = await sign(payload({ iss, aud }));
    assertEquals((await service.call(LATEST, { token })).status, 200);
  }
  for (
    const claims of [
      {},
      { iss },
      { aud: `"deskhand"` },
      { iss, aud: `"other"` },
      { iss, aud: "[]" },
      { iss, aud: "7" },
      { iss: `"https://id.example/"`, aud: `"deskhand"` },
      { iss: `["https://id.example"]`, aud: `"deskhand"` },
    ] as Record<string, string>[]
  ) {
    const response = await service.call(LATEST, { token: await sign(payload(claims)) });
    await assertProblem(response, 401, "unauthenticated");
  }
});

Deno.test("a token of 16,384 characters is accepted, and a longer one rejected", async () => {
  await using service = await openService();
  const status = async (length: number) => {
    const token = await signedToLength(length);
    assertEquals(token.length, length);
    const response = await service.call(LATEST, { token });
    await response.body?.cancel();
    return response.status;
  };
  assertEquals([await status(8_193), await status(16_384)], [200, 200]);
  assertEquals(await status(16_385), 401);
  assertEquals(service.lines.at(-1)?.reason, "token_too_long");
});

/** Returns a valid token of exactly `length` characters. Some lengths need another payload. */
async function signedToLength(length: number): Promise<string> {
  for (let extra = 0; extra < 4; extra++) {
    const header = { alg: "HS256", kid: "k".repeat(extra) };
    const empty = await sign(payload({ groups: `""` }), header);
    const missing = Math.floor((length - empty.length) * 3 / 4);
    for (let filler = missing - 2; filler <= missing + 2; filler++) {
      const token = await sign(payload({ groups: `"${"g".repeat(filler)}"` }), header);
      if (token.length === length) return token;
    }
  }
  throw new Error(`No token of ${length} characters`);
}
