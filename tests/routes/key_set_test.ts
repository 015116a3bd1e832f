import { assertEquals, assertLess } from "@std/assert";
import { install } from "@sinonjs/fake-timers";
import { exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT } from "jose";
import { ALL_SCOPES } from "../practice/token.ts";
import { openService } from "../service.ts";
import { assertProblem } from "./assert_problem.ts";

const LATEST = "/v1/tenants/acme/support-requests/latest";

type Mode = "serve" | "hang" | "error" | "rubbish" | "no-set" | "redirect" | "stall";

/** An issuer on loopback that publishes its keys, unless it is told to do otherwise. */
function startIssuer() {
  const keys: JWK[] = [];
  const closing = Promise.withResolvers<void>();
  let mode: Mode = "serve";
  let fetches = 0;

  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async () => {
    fetches++;
    switch (mode) {
      case "serve":
        return Response.json({ keys });
      case "hang":
        await closing.promise;
        return new Response();
      case "stall":
        return new Response(new ReadableStream({ pull: () => closing.promise }));
      case "error":
        return Response.json({ keys }, { status: 500 });
      case "rubbish":
        return new Response("<h1>Down for maintenance</h1>");
      case "no-set":
        return Response.json({ keys: "none" });
      case "redirect":
        return new Response(null, { status: 302, headers: { Location: "/elsewhere" } });
    }
  });

  async function addKey(kid: string, alg = "ES256") {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    keys.push({ ...await exportJWK(publicKey), kid, alg, use: "sig" });
    const sign = (header: { kid?: string } = { kid }) =>
      claims().setProtectedHeader({ alg, ...header }).sign(privateKey);
    return { sign, publicKey };
  }

  return {
    env: {
      AUTH_SECRET: "",
      AUTH_JWKS_URL: `http://127.0.0.1:${server.addr.port}/jwks`,
      AUTH_ISSUER: "https://id.example",
      AUTH_AUDIENCE: "deskhand",
    },
    addKey,
    behave: (next: Mode) => void (mode = next),
    fetches: () => fetches,
    async [Symbol.asyncDispose]() {
      closing.resolve();
      await server.shutdown();
    },
  };
}

/** What the log says of the key set. */
function errorsOf({ lines }: Awaited<ReturnType<typeof openService>>) {
  return lines.filter(({ message }) => message === "Cannot read the key set of the tokens' issuer")
    .map(({ error }) => error);
}

function claims() {
  return new SignJWT({ tenants: ["acme"], scope: ALL_SCOPES }).setSubject("u-1")
    .setIssuer("https://id.example").setAudience("deskhand")
    .setExpirationTime(Math.floor(Date.now() / 1000) + 3600);
}

for (const alg of ["RS256", "PS256", "ES256", "EdDSA"]) {
  Deno.test(`the key set verifies ${alg}`, async () => {
    await using issuer = startIssuer();
    const { sign } = await issuer.addKey("k-1", alg);
    await using service = await openService({ env: issuer.env });
    for (const header of [{ kid: "k-1" }, {}]) {
      assertEquals((await service.call(LATEST, { token: await sign(header) })).status, 200);
    }
  });
}

Deno.test("the key set is fetched once for a hundred requests, also when all come at once", async () => {
  await using issuer = startIssuer();
  const { sign } = await issuer.addKey("k-1");
  await using service = await openService({ env: issuer.env });
  const token = await sign();
  const answers = await Promise.all(
    Array.from({ length: 100 }, () => service.call(LATEST, { token })),
  );
  assertEquals(new Set(answers.map(({ status }) => status)), new Set([200]));
  assertEquals(issuer.fetches(), 1);
});

Deno.test("the key set is no shared secret: none and HS256 with a public key are refused", async () => {
  await using issuer = startIssuer();
  const { sign, publicKey } = await issuer.addKey("k-1", "RS256");
  const stranger = await generateKeyPair("RS256");
  await using service = await openService({ env: issuer.env });
  const pem = new TextEncoder().encode(await exportSPKI(publicKey));
  const jwk = new TextEncoder().encode(JSON.stringify(await exportJWK(publicKey)));
  const [, body] = (await sign()).split(".");
  for (
    const token of [
      await claims().setProtectedHeader({ alg: "HS256", kid: "k-1" }).sign(pem),
      await claims().setProtectedHeader({ alg: "HS256", kid: "k-1" }).sign(jwk),
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
  assertLess(issuer.fetches(), 2);
});

Deno.test("the key set is not fetched for each token with an unknown key", async () => {
  await using issuer = startIssuer();
  const { sign } = await issuer.addKey("k-1");
  await using service = await openService({ env: issuer.env });
  for (let i = 0; i < 50; i++) {
    const answer = await service.call(LATEST, { token: await sign({ kid: `unknown-${i}` }) });
    await assertProblem(answer, 401, "unauthenticated");
  }
  assertEquals(issuer.fetches(), 1);
});

Deno.test("the key set learns a new key by itself, and outlives an issuer that is away", async () => {
  await using issuer = startIssuer();
  const old = await issuer.addKey("k-1");
  await using service = await openService({ env: issuer.env });
  const status = async (token: string) => (await service.call(LATEST, { token })).status;
  assertEquals(await status(await old.sign()), 200);

  const clock = install({ now: Date.now(), toFake: ["Date"] });
  try {
    const { sign } = await issuer.addKey("k-2");
    clock.setSystemTime(Date.now() + 31_000);
    assertEquals(await status(await sign()), 200);
    assertEquals(issuer.fetches(), 2);

    issuer.behave("error");
    clock.setSystemTime(Date.now() + 31_000);
    for (let i = 0; i < 20; i++) {
      assertEquals(await status(await sign({ kid: `unknown-${i}` })), 503);
      assertEquals(await status(await sign()), 200);
    }
    assertEquals(issuer.fetches(), 3);
  } finally {
    clock.uninstall();
  }
});

const UNUSABLE = {
  "error": "its status is 500, not 200",
  "rubbish": "its answer is not a key set",
  "no-set": "its answer is not a key set",
  "redirect": "its status is 302, not 200",
};

for (const [mode, error] of Object.entries(UNUSABLE) as [keyof typeof UNUSABLE, string][]) {
  Deno.test(`the key set of an issuer in mode ${mode} is 503 with what to do, until it recovers`, async () => {
    await using issuer = startIssuer();
    const { sign } = await issuer.addKey("k-1");
    issuer.behave(mode);
    await using service = await openService({ env: issuer.env });
    const token = await sign();
    const clock = install({ now: Date.now(), toFake: ["Date"] });
    try {
      for (let i = 0; i < 20; i++) {
        const answer = await service.call(LATEST, { token });
        await assertProblem(answer, 503, "keys-unavailable");
        assertEquals(answer.headers.get("Retry-After"), "5");
      }
      assertEquals(issuer.fetches(), 1);
      assertEquals(errorsOf(service), [error]);

      issuer.behave("serve");
      clock.setSystemTime(Date.now() + 1_000);
      assertEquals((await service.call(LATEST, { token })).status, 200);
    } finally {
      clock.uninstall();
    }
  });
}

Deno.test("the key set of an issuer that hangs holds nobody for longer than two seconds", async () => {
  const started = performance.now();
  await Promise.all((["hang", "stall"] as const).map(async (mode) => {
    await using issuer = startIssuer();
    const { sign } = await issuer.addKey("k-1");
    const token = await sign();
    issuer.behave(mode);
    await using service = await openService({ env: issuer.env });
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => service.call(LATEST, { token })),
    );
    for (const answer of answers) await assertProblem(answer, 503, "keys-unavailable");
    assertEquals(issuer.fetches(), 1);
    assertEquals(errorsOf(service), ["it did not answer in time"]);
  }));
  assertLess(performance.now() - started, 4_500);
});

Deno.test("the key set of an issuer that cannot be reached is 503", async () => {
  const gone = startIssuer();
  const { sign } = await gone.addKey("k-1");
  await gone[Symbol.asyncDispose]();
  await using service = await openService({ env: gone.env });
  const answer = await service.call(LATEST, { token: await sign() });
  await assertProblem(answer, 503, "keys-unavailable");
  assertEquals(errorsOf(service), ["it cannot be reached"]);
});
