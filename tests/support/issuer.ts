/** An issuer of tokens on loopback, with the faults that an identity provider can have. */
import { exportJWK, generateKeyPair, type JWK, type JWTHeaderParameters, SignJWT } from "jose";
import { ALL_SCOPES } from "../demo/token.ts";

const ISSUER = "https://id.example";
const AUDIENCE = "deskhand";

export type Respond = (signal: AbortSignal) => Response | Promise<Response>;

/** Starts an issuer that publishes the keys that were added to it, or what a test has it respond. */
export function startIssuer({ hostname = "127.0.0.1" } = {}) {
  const keys: unknown[] = [];
  const closing = new AbortController();
  let respond: Respond = () => Response.json({ keys });
  const fetched: Request[] = [];

  const options = { hostname, port: 0, onListen: () => {} };
  const server = Deno.serve(options, (request) => {
    fetched.push(request);
    return respond(closing.signal);
  });

  return {
    env: {
      AUTH_SECRET: "",
      AUTH_JWKS_URL: `http://127.0.0.1:${server.addr.port}/jwks`,
      AUTH_ISSUER: ISSUER,
      AUTH_AUDIENCE: AUDIENCE,
    },
    port: server.addr.port,
    /** The `keys` of the set. A test may put anything there. */
    keys,
    /** Generates a key and publishes it. */
    async addKey(kid: string | undefined, alg = "ES256") {
      const key = await generateSigner(alg, kid);
      keys.push(key.jwk);
      return key;
    },
    respond: (next?: Respond) => void (respond = next ?? (() => Response.json({ keys }))),
    fetches: () => fetched.length,
    fetched,
    async [Symbol.asyncDispose]() {
      closing.abort();
      await server.shutdown();
    },
  };
}

/** A key pair, and a function that signs otherwise valid tokens with it. */
export async function generateSigner(alg: string, kid?: string) {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const jwk: JWK = {
    ...await exportJWK(publicKey),
    ...kid !== undefined && { kid },
    alg,
    use: "sig",
  };
  const sign = (header: Partial<JWTHeaderParameters> = { kid }, sub = "u-1") =>
    claims(sub).setProtectedHeader(clean({ alg, ...header })).sign(privateKey);
  return { jwk, privateJwk: { ...await exportJWK(privateKey), alg }, publicKey, privateKey, sign };
}

export function claims(sub = "u-1"): SignJWT {
  return new SignJWT({ tenants: ["acme"], scope: ALL_SCOPES }).setSubject(sub)
    .setIssuer(ISSUER).setAudience(AUDIENCE)
    .setExpirationTime(Math.floor(Date.now() / 1000) + 24 * 3600);
}

function clean<T extends object>(header: T): T {
  return Object.fromEntries(Object.entries(header).filter(([, value]) => value !== undefined)) as T;
}
