import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { mintToken } from "../demo/token.ts";
import { AUTH_SECRET } from "../support/constants.ts";
import { diagnose, failures, openDeskhand } from "./operator.ts";
import { runTask } from "../support/task.ts";

Deno.test("smoke explains a rejected token and how to find its calls in the log", async () => {
  await using deskhand = await openDeskhand();
  const foreign = await mintToken("another secret, of 32 bytes or more");
  const { code, stdout } = await deskhand.smoke([], foreign);
  assertEquals(code, 1);
  assertEquals(failures(stdout), [{
    title: "the token is accepted",
    cause: "The token was rejected: its signature does not match, or a claim is malformed",
    next: "Have it signed with this Deskhand's AUTH_SECRET, or by the issuer at its " +
      "AUTH_JWKS_URL; restart Deskhand if .env has changed since it started",
  }]);
  assertStringIncludes(stdout, "5 ok, 1 failed, 7 not run because of a failure\n");
  const run = stdout.match(/starts with (smoke-\S+)/)![1]!;
  const line = deskhand.service.lines.find(({ requestId }) => requestId === `${run}-token`);
  assertEquals(line?.status, 401);
});

const NOW = Math.floor(Date.now() / 1000);

/** Signs claims as they are, also those that no token should have. */
async function sign(claims: Record<string, unknown>): Promise<string> {
  const encode = (bytes: Uint8Array<ArrayBuffer>) =>
    bytes.toBase64({ alphabet: "base64url", omitPadding: true });
  const encodeJson = (json: unknown) => encode(new TextEncoder().encode(JSON.stringify(json)));
  const text = `${encodeJson({ alg: "HS256", typ: "JWT" })}.${encodeJson(claims)}`;
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const secret = new TextEncoder().encode(AUTH_SECRET);
  const key = await crypto.subtle.importKey("raw", secret, algorithm, false, ["sign"]);
  const signature = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(text));
  return `${text}.${encode(new Uint8Array(signature))}`;
}

const CLAIMS = {
  sub: "u-1",
  exp: NOW + 600,
  tenants: ["acme"],
  scope: "support_requests:create support_requests:read",
};
const REJECTED_TOKENS: [claims: Record<string, unknown>, cause: RegExp][] = [
  [{ ...CLAIMS, exp: NOW - 3600 }, /: it expired 36\d\d s ago by Deskhand's clock$/],
  [{ ...CLAIMS, exp: undefined }, /: it has no exp$/],
  [{ ...CLAIMS, nbf: NOW + 300 }, /: it is valid in (29\d|300) s by Deskhand's clock \(nbf\)$/],
  [{ ...CLAIMS, sub: undefined }, /: it has no sub$/],
  [
    { ...CLAIMS, iss: "https://b.example" },
    /: its iss is "https:\/\/b\.example", and AUTH_ISSUER is "https:\/\/a\.example"$/,
  ],
  [
    { ...CLAIMS, iss: "https://a.example", aud: ["x"] },
    /: its aud is \["x"\], and AUTH_AUDIENCE is "deskhand"$/,
  ],
];

Deno.test("smoke reports the claim for which a token is rejected", async () => {
  const env = { AUTH_ISSUER: "https://a.example", AUTH_AUDIENCE: "deskhand" };
  await using deskhand = await openDeskhand(env);
  for (const [claims, cause] of REJECTED_TOKENS) {
    const [failure, ...others] = await diagnose({
      url: deskhand.url,
      token: await sign(claims),
      env,
    });
    assertEquals(others, []);
    assertMatch(failure!.cause, cause);
  }
  const [failure] = await diagnose({ url: deskhand.url, token: "not-a-jwt" });
  assertStringIncludes(failure!.cause, "it is not a JWT");
});

Deno.test("smoke reports by how many seconds the clock of Deskhand is wrong", async () => {
  for (const [seconds, says] of [[95, "95 s ahead of"], [-3600, "3600 s behind"]] as const) {
    await using deskhand = await openDeskhand({}, {
      date: () => new Date(Date.now() + seconds * 1000),
    });
    const [failure] = await diagnose({ url: deskhand.url });
    const [, digits] = /clock is (\d+ s \S+ ?(?:of)?) this machine's/.exec(failure!.cause)!;
    // A second is lost to the header, which has no fraction, and another to a busy machine.
    const difference = Math.abs(parseInt(digits!) - Math.abs(seconds));
    assert(difference <= 2, failure!.cause);
    assertStringIncludes(digits!, says.split(" ").at(2)!);
  }
});

Deno.test("smoke reports a tenant that the token does not cover, and those that it does", async () => {
  await using deskhand = await openDeskhand();
  const [failure] = await diagnose({ url: deskhand.url, token: { tenants: ["globex"] } });
  assertEquals(
    failure!.cause,
    'The token does not cover the tenant acme: its claim "tenants" has "globex"',
  );
});

for (const missing of ["support_requests:create", "support_requests:read"]) {
  Deno.test(`smoke names the missing scope ${missing}`, async () => {
    await using deskhand = await openDeskhand();
    const scope = ["support_requests:create", "support_requests:read"]
      .filter((name) => name !== missing).join(" ");
    const [failure, ...others] = await diagnose({ url: deskhand.url, token: { scope } });
    assertEquals(others, []);
    assertEquals(failure!.cause, `The token lacks ${missing} (403)`);
  });
}

Deno.test("smoke calls Deskhand at HOST and PORT of the configuration", async () => {
  await using deskhand = await openDeskhand();
  const { hostname, port } = new URL(deskhand.url);
  const DESKHAND_TOKEN = await mintToken(AUTH_SECRET);
  for (const host of [hostname, "0.0.0.0", ""]) {
    const env = { DESKHAND_TOKEN, HOST: host, PORT: port };
    const { code, stdout } = await runTask("smoke", ["--tenant", "acme"], env);
    assertEquals(code, 0, stdout);
    assertStringIncludes(stdout, `Smoke test of Deskhand at ${deskhand.url} (HOST and PORT)`);
  }
});

Deno.test("smoke signs a token itself if it has AUTH_SECRET and no token", async () => {
  const env = {
    AUTH_ISSUER: "https://a.example",
    AUTH_AUDIENCE: "deskhand",
    AUTH_TENANTS_CLAIM: "https://a.example/tenants",
    AUTH_SCOPES_CLAIM: "permissions",
  };
  await using deskhand = await openDeskhand(env);
  const flags = ["--tenant", "globex", "--url", deskhand.url];
  const signed = await runTask("smoke", flags, { ...env, AUTH_SECRET });
  assertEquals(signed.code, 0, signed.stdout + signed.stderr);
  // With a key set, only the identity provider can sign.
  const keySet = { ...env, AUTH_JWKS_URL: "https://a.example/keys" };
  const { code, stderr } = await runTask("smoke", flags, { ...keySet, AUTH_SECRET });
  assertEquals(code, 1);
  assertStringIncludes(stderr, "A token is required");
});

Deno.test("smoke checks that PUBLIC_URL leads to the same Deskhand", async () => {
  await using deskhand = await openDeskhand();
  await using other = await openDeskhand();
  const proxied = deskhand.url.replace("127.0.0.1", "localhost");
  assertEquals(await diagnose({ url: deskhand.url, env: { PUBLIC_URL: proxied } }), []);
  for (const [publicUrl, status] of [[other.url, 200], [deskhand.desk.url, 401]] as const) {
    const [failure] = await diagnose({ url: deskhand.url, env: { PUBLIC_URL: publicUrl } });
    assertEquals(failure, {
      title: "PUBLIC_URL leads to this Deskhand",
      cause: `Another service or another Deskhand responds there, with ${status} ` +
        `(PUBLIC_URL is ${publicUrl})`,
      next: "Correct PUBLIC_URL, or the proxy that leads from there to Deskhand",
    });
  }
});

Deno.test("smoke recognizes another service at Deskhand's URL", async () => {
  await using deskhand = await openDeskhand();
  const [failure, ...others] = await diagnose({ url: deskhand.desk.url });
  assertEquals(others, []);
  assertStringIncludes(failure!.cause, "Something else responds there: 401");
  assertStringIncludes(failure!.cause, `(--url is ${deskhand.desk.url})`);
  assertStringIncludes(failure!.next, "Correct the address and port in --url");
});

Deno.test("smoke --json prints one document that agrees with the exit code", async () => {
  await using deskhand = await openDeskhand();
  const passing = await deskhand.smoke(["--json"]);
  const { ok, url, tenantId, runId, handoff, checks } = JSON.parse(passing.stdout);
  assertEquals([passing.code, ok, url, tenantId, handoff], [0, true, deskhand.url, "acme", "none"]);
  assertEquals(new Set(checks.map(({ outcome }: { outcome: string }) => outcome)), new Set(["ok"]));
  const [first] = checks;
  assertEquals({ ...first, ms: 0 }, {
    name: "livez",
    title: "Deskhand responds",
    ms: 0,
    requestId: `${runId}-livez`,
    outcome: "ok",
  });

  const failing = await deskhand.smoke(["--json"], { tenants: [] });
  const document = JSON.parse(failing.stdout);
  assertEquals([failing.code, document.ok], [1, false]);
  const failed = document.checks.filter(({ outcome }: { outcome: string }) => outcome === "failed");
  assertEquals(failed.map(({ name }: { name: string }) => name), ["token"]);
});

const BAD_OPTIONS: [flags: string[], says: string, env?: Record<string, string>][] = [
  [["--tenant", "a/b"], "--tenant is not a tenant id"],
  [["--url", "deskhand.example"], "--url must be a URL"],
  [["--url", "ftp://deskhand.example"], "--url must be a URL"],
  [["--url", "https://ada:secret@deskhand.example"], "--url must be a URL"],
  [["--handoff", "link"], "--handoff must be none or create"],
  [["secret-without-its-flag"], "Usage: deno task smoke"],
  [[], "PORT is 0: give Deskhand's URL with --url", { PORT: "0" }],
  [[], "A token is required, in DESKHAND_TOKEN or with --token", { DESKHAND_TOKEN: "" }],
];

for (const [flags, says, env] of BAD_OPTIONS) {
  Deno.test(`smoke ${flags.join(" ")} makes no call and says: ${says.slice(0, 30)}`, async () => {
    const { code, stdout, stderr } = await runTask("smoke", ["--tenant", "acme", ...flags], {
      DESKHAND_TOKEN: "a.b.c",
      ...env,
    });
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, says);
    assert(!stderr.includes("secret"));
  });
}
