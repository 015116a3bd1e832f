import { assert, assertEquals } from "@std/assert";
import { exportJWK, exportSPKI, generateKeyPair } from "jose";
import { FakeClock } from "../../support/clock.ts";
import { openService } from "../../support/service.ts";
import { claims, generateSigner, startIssuer } from "../../support/issuer.ts";
import { assertProblem } from "../assert_problem.ts";
import { eventsOf, reasonOf, status } from "./jwks_service.ts";

const LATEST = "/v1/tenants/acme/support-requests/latest";
const MINUTE = 60_000;

for (const alg of ["RS256", "RS512", "PS256", "PS384", "ES256", "ES384", "ES512", "EdDSA"]) {
  Deno.test(`the key set verifies ${alg}, with and without a kid and an alg`, async () => {
    await using issuer = startIssuer();
    const { jwk, sign } = await issuer.addKey("k-1", alg);
    for (const left of [{}, { alg: undefined }, { kid: undefined, use: undefined }]) {
      issuer.keys[0] = { ...jwk, ...left };
      await using service = await openService({ env: issuer.env });
      for (const header of [{ kid: "k-1" }, {}]) {
        assertEquals(await status(service, await sign(header)), 200, JSON.stringify(left));
      }
    }
  });
}

Deno.test("a key and a token may use either name of Ed25519", async () => {
  await using issuer = startIssuer();
  const { jwk, privateKey } = await issuer.addKey("k-1", "EdDSA");
  for (const alg of ["EdDSA", "Ed25519"]) {
    issuer.keys[0] = { ...jwk, alg };
    await using service = await openService({ env: issuer.env });
    for (const alg of ["EdDSA", "Ed25519"]) {
      const token = await claims().setProtectedHeader({ alg, kid: "k-1" }).sign(privateKey);
      assertEquals(await status(service, token), 200);
    }
  }
});

Deno.test("shared secrets never verify: none, and HS256 with a public key, are rejected", async () => {
  await using issuer = startIssuer();
  const { sign, publicKey } = await issuer.addKey("k-1", "RS256");
  const stranger = await generateKeyPair("RS256");
  // A shared secret that was published by mistake does not verify either.
  const secret = new TextEncoder().encode("a secret of 32 bytes, or even more");
  const k = secret.toBase64({ alphabet: "base64url", omitPadding: true });
  issuer.keys.push({ kty: "oct", kid: "k-3", alg: "HS256", k });
  await using service = await openService({ env: issuer.env });
  const pem = new TextEncoder().encode(await exportSPKI(publicKey));
  const jwk = new TextEncoder().encode(JSON.stringify(await exportJWK(publicKey)));
  const [, body] = (await sign()).split(".");
  for (
    const token of [
      await claims().setProtectedHeader({ alg: "HS256", kid: "k-1" }).sign(pem),
      await claims().setProtectedHeader({ alg: "HS256", kid: "k-1" }).sign(jwk),
      await claims().setProtectedHeader({ alg: "HS256", kid: "k-3" }).sign(secret),
      await claims().setProtectedHeader({ alg: "RS256", kid: "k-1" }).sign(stranger.privateKey),
      await claims().setProtectedHeader({
        alg: "RS256",
        kid: "k-2",
        jwk: await exportJWK(stranger.publicKey),
        jku: "http://127.0.0.1:1/",
      }).sign(stranger.privateKey),
      `${btoa(`{"alg":"none","kid":"k-1"}`).replaceAll("=", "")}.${body}.`,
      `${btoa(`{"alg":"RS256","kid":"k-1"}`).replaceAll("=", "")}.${body}.`,
      "rubbish",
    ]
  ) await assertProblem(await service.call(LATEST, { token }), 401, "unauthenticated");
  assertEquals(issuer.fetches(), 1);
});

Deno.test("a key verifies only its own algorithm", async () => {
  await using issuer = startIssuer();
  const { privateKey } = await issuer.addKey("k-1", "RS256");
  const { privateJwk } = await issuer.addKey("k-2", "ES256");
  await using service = await openService({ env: issuer.env });
  const pss = await crypto.subtle.importKey(
    "jwk",
    { ...await exportJWK(privateKey), alg: "PS256" },
    { name: "RSA-PSS", hash: "SHA-256" },
    false,
    ["sign"],
  );
  assert(privateJwk);
  const token = await claims().setProtectedHeader({ alg: "PS256", kid: "k-1" }).sign(pss);
  assertEquals([await status(service, token), reasonOf(service)], [401, "unknown_key"]);
});

Deno.test("a duplicate key counts once, and two keys with one kid both verify", async () => {
  await using issuer = startIssuer();
  const first = await issuer.addKey("k-1");
  issuer.keys.push(first.jwk, { ...first.jwk, kid: "k-2" });
  const second = await issuer.addKey("k-1");
  await using service = await openService({ env: issuer.env });
  for (const token of [await first.sign(), await second.sign(), await first.sign({ kid: "k-2" })]) {
    assertEquals(await status(service, token), 200);
  }
  assertEquals(await status(service, await second.sign({ kid: "k-2" })), 401);
});

Deno.test("a token without a kid is tried with up to eight keys that could have signed it", async () => {
  await using issuer = startIssuer();
  const signers = [];
  for (let i = 0; i < 9; i++) {
    // Keys that cannot have signed it, and duplicates, do not count against the eight.
    await issuer.addKey(`other-${i}`, "EdDSA");
    const signer = await issuer.addKey(`k-${i}`);
    issuer.keys.push(signer.jwk, { ...signer.jwk, kid: `again-${i}` });
    signers.push(signer);
  }
  await using service = await openService({ env: issuer.env });
  for (const [i, { sign }] of signers.entries()) {
    assertEquals(await status(service, await sign({})), i < 8 ? 200 : 401, `key ${i}`);
    assertEquals(await status(service, await sign()), 200);
  }
  assertEquals(reasonOf(service), undefined);
});

Deno.test("a token with a kid is tried with keys of that kid, then with keys without one", async () => {
  await using issuer = startIssuer();
  const nameless = await issuer.addKey(undefined);
  const named = await issuer.addKey("k-1");
  await using service = await openService({ env: issuer.env });
  for (
    const [signer, kid, expected] of [
      [named, "k-1", 200],
      [nameless, "k-1", 200],
      [nameless, "k-2", 200],
      [named, "k-2", 401],
    ] as const
  ) assertEquals(await status(service, await signer.sign({ kid })), expected, kid);
});

/** Members between good keys, and the reason in the log; null if nothing is logged. */
const ODD_MEMBERS: [name: string, members: unknown[], reason: string | null][] = [
  ["values that are no keys", [null, "key", 7, true, [], {}, { kty: 7 }], "not_a_key"],
  ["keys without kty", [{ n: "AQAB", e: "AQAB" }], "not_a_key"],
  [
    "keys of an unknown type",
    [{ kty: "AKP", alg: "ML-DSA-44", pub: "AAAA" }, { kty: "rsa" }, { kty: "__proto__" }],
    "unsupported_key_type",
  ],
  ["a shared secret", [{ kty: "oct", k: "AAAA", alg: "HS256" }], "unsupported_key_type"],
  [
    "keys on other curves",
    [
      { kty: "EC", crv: "secp256k1", x: "AAAA", y: "AAAA" },
      { kty: "EC", crv: "toString", x: "AAAA", y: "AAAA" },
      { kty: "EC", crv: ["P-256"], x: "AAAA", y: "AAAA" },
      { kty: "OKP", crv: "X25519", x: "AAAA" },
      { kty: "OKP", crv: "Ed448", x: "AAAA" },
    ],
    "unsupported_curve",
  ],
  [
    "keys with members that are missing or broken",
    [
      { kty: "RSA", e: "AQAB" },
      { kty: "RSA", n: 7, e: "AQAB" },
      { kty: "RSA", n: "****", e: "AQAB" },
      { kty: "RSA", n: "", e: "AQAB" },
      { kty: "RSA", n: "AAAA", e: "AQAB" },
      { kty: "RSA", n: "_".repeat(342), e: "AQ" },
      { kty: "RSA", n: "_".repeat(342), e: "AAE" },
      { kty: "RSA", n: "_".repeat(342), e: "Ag" },
      { kty: "EC", crv: "P-256", x: "AAAA", y: "AAAA" },
      { kty: "EC", crv: "P-256", x: "_".repeat(43), y: "_".repeat(43) },
      { kty: "EC", crv: "P-256" },
      { kty: "OKP", crv: "Ed25519", x: "AAAA" },
      { kty: "OKP", crv: "Ed25519" },
    ],
    "malformed_key",
  ],
  [
    "RSA keys that are too short",
    [{ kty: "RSA", n: "_".repeat(171), e: "AQAB" }],
    "rsa_key_too_short",
  ],
  [
    "RSA keys that are too long",
    [{ kty: "RSA", n: "_".repeat(4000), e: "AQAB" }],
    "rsa_key_too_long",
  ],
  [
    "keys for other purposes",
    [
      { kty: "RSA", use: "enc", alg: "RSA-OAEP", n: "_".repeat(342), e: "AQAB" },
      { kty: "RSA", alg: "RSA-OAEP", n: "_".repeat(342), e: "AQAB" },
      { kty: "RSA", key_ops: ["encrypt"], n: "_".repeat(342), e: "AQAB" },
      { kty: "RSA", key_ops: "verify", n: "_".repeat(342), e: "AQAB" },
      { kty: "EC", crv: "P-256", alg: "ECDH-ES", x: "AAAA", y: "AAAA" },
    ],
    null,
  ],
];

for (const [name, members, reason] of ODD_MEMBERS) {
  Deno.test(`a key set works with ${name} between its good keys, which is logged once`, async () => {
    await using issuer = startIssuer();
    issuer.keys.push(...members);
    const { sign } = await issuer.addKey("k-1");
    issuer.keys.push(...members);
    const last = await issuer.addKey("k-2", "RS256");
    const clock = new FakeClock({ now: Date.now() });
    await using service = await openService({ env: issuer.env, clock });
    for (let i = 0; i < 3; i++) {
      assertEquals(await status(service, await sign({ kid: "k-1" }, `u-${i}`)), 200);
      assertEquals(await status(service, await last.sign({}, `u-${i}`)), 200);
      clock.offset += 11 * MINUTE;
    }
    assertEquals(issuer.fetches(), 3);
    assertEquals(eventsOf(service), reason === null ? [] : [`key_set_problem ${reason}`]);
    const counts = service.lines.flatMap(({ count }) => count ?? []);
    assertEquals(counts, reason === null ? [] : [2 * members.length]);
  });
}

Deno.test("a key whose key_ops include sign, and a private key, still verify", async () => {
  await using issuer = startIssuer();
  const { jwk, sign } = await issuer.addKey("k-1");
  issuer.keys[0] = { ...jwk, key_ops: ["sign", "verify"], ext: true };
  const leaked = await generateSigner("RS256", "k-2");
  issuer.keys.push({ ...leaked.privateJwk, kid: "k-2", key_ops: ["sign", "verify"] });
  await using service = await openService({ env: issuer.env });
  assertEquals(await status(service, await sign()), 200);
  assertEquals(await status(service, await leaked.sign()), 200);
  assertEquals(eventsOf(service), ["key_set_problem private_key_published"]);
  assertEquals(JSON.stringify(service.lines).includes(leaked.privateJwk.d!), false);
});

Deno.test("a property of a key that is null counts as absent", async () => {
  for (const alg of ["RS256", "ES256", "EdDSA"]) {
    const { jwk, sign } = await generateSigner(alg);
    for (
      const members of [
        { use: null },
        { key_ops: null },
        { alg: null },
        { kid: null, use: null, key_ops: null, alg: null, x5c: null, x5t: null },
      ]
    ) {
      await using issuer = startIssuer();
      issuer.keys.push({ ...jwk, ...members });
      await using service = await openService({ env: issuer.env });
      assertEquals(await status(service, await sign()), 200, `${alg} ${JSON.stringify(members)}`);
      assertEquals(eventsOf(service), []);
    }
  }
});

Deno.test("a token signed with a key that is not for signatures is rejected", async () => {
  const { jwk, sign } = await generateSigner("RS256", "k-1");
  for (
    const members of [
      { use: "enc" },
      { use: ["sig"] },
      { key_ops: ["encrypt"] },
      { key_ops: ["sign"] },
      { key_ops: [] },
      { key_ops: "verify" },
      { alg: "RSA-OAEP-256" },
      { alg: "RS512" },
      { alg: 7 },
    ]
  ) {
    await using issuer = startIssuer();
    issuer.keys.push({ ...jwk, ...members });
    await using service = await openService({ env: issuer.env });
    const outcome = [await status(service, await sign()), reasonOf(service)];
    assertEquals(outcome, [401, "unknown_key"], JSON.stringify(members));
  }
});

Deno.test("a token signed with an RSA key under 2,048 bits is rejected with its own reason", async () => {
  await using issuer = startIssuer();
  const pair = await crypto.subtle.generateKey(
    {
      name: "RSASSA-PKCS1-v1_5",
      hash: "SHA-256",
      modulusLength: 1024,
      publicExponent: new Uint8Array([1, 0, 1]),
    },
    true,
    ["sign", "verify"],
  );
  issuer.keys.push({ ...await exportJWK(pair.publicKey), kid: "k-1" });
  const head = btoa(`{"alg":"RS256","kid":"k-1"}`).replaceAll("=", "");
  // jose does not sign with such a key.
  const [, body] = (await (await generateSigner("ES256")).sign()).split(".");
  const data = new TextEncoder().encode(`${head}.${body}`);
  const signature = await crypto.subtle.sign("RSASSA-PKCS1-v1_5", pair.privateKey, data);
  const mac = new Uint8Array(signature).toBase64({ alphabet: "base64url", omitPadding: true });
  await using service = await openService({ env: issuer.env });
  assertEquals(await status(service, `${head}.${body}.${mac}`), 401);
  assertEquals(reasonOf(service), "rsa_key_too_short");
  assertEquals(eventsOf(service), [
    "key_set_problem rsa_key_too_short",
    "key_set_unusable no_usable_key",
  ]);
});

Deno.test("only the first hundred keys of a set are used", async () => {
  await using issuer = startIssuer();
  const first = await issuer.addKey("first");
  issuer.keys.push(...Array.from({ length: 99 }, () => null));
  const beyond = await issuer.addKey("beyond");
  issuer.keys.push(...Array.from({ length: 100_000 }, () => null));
  await using service = await openService({ env: issuer.env });
  assertEquals(await status(service, await first.sign()), 200);
  assertEquals(await status(service, await beyond.sign()), 401);
  assertEquals(eventsOf(service).includes("key_set_problem too_many_keys"), true);
});
