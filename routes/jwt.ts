import { errors, jwtVerify, type JWTVerifyOptions } from "jose";
import { parseClaims } from "./claims.ts";
import { createKeySet, KeysUnavailable } from "./key_set.ts";
import type { TokenOptions, VerifyToken } from "./token.ts";

/** With public keys no shared-secret algorithm is ever accepted, nor the other way round. */
const ASYMMETRIC = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];

/** Characters. Tokens that list many groups are long; the whole head may have 64 KiB in Deno. */
const MAX_TOKEN_LENGTH = 16_384;
/** Verifies tokens as RFC 7519 and RFC 8725 have it: algorithm, signature, times, claims. */
export function createVerifyJwt(options: TokenOptions): VerifyToken {
  const verifySignature = options.secret === undefined
    ? withKeySet(options.jwksUrl ?? "", options)
    : withSecret(options.secret);
  return async (token) => {
    if (token.length > MAX_TOKEN_LENGTH) return { outcome: "invalid", reason: "too long" };
    try {
      const { payload } = await verifySignature(token, {
        issuer: options.issuer,
        audience: options.audience,
        currentDate: new Date(options.now()),
      });
      const parsed = parseClaims(payload, options);
      return parsed.outcome === "valid"
        ? parsed
        : { outcome: "invalid", reason: `claim ${parsed.claim}` };
    } catch (error) {
      if (error instanceof KeysUnavailable) return { outcome: "unavailable" };
      if (error instanceof errors.JWTExpired) return { outcome: "expired" };
      return { outcome: "invalid", reason: reasonOf(error) };
    }
  };
}

/** One of a few: nothing of the token itself. */
function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTClaimValidationFailed) return `claim ${error.claim}`;
  if (error instanceof errors.JWSSignatureVerificationFailed) return "signature";
  if (error instanceof errors.JWKSNoMatchingKey) return "key";
  if (error instanceof errors.JWKSMultipleMatchingKeys) return "key";
  if (error instanceof errors.JOSEAlgNotAllowed) return "algorithm";
  if (error instanceof errors.JOSENotSupported) return "algorithm";
  return "not a token";
}

function withSecret(secret: string) {
  const key = crypto.subtle.importKey(
    "raw",
    new TextEncoder().encode(secret),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["verify"],
  );
  return async (token: string, options: JWTVerifyOptions) =>
    await jwtVerify(token, await key, { ...options, algorithms: ["HS256"] });
}

function withKeySet(url: string, options: TokenOptions) {
  const getKey = createKeySet(new URL(url), options);
  return (token: string, options: JWTVerifyOptions) =>
    jwtVerify(token, getKey, { ...options, algorithms: ASYMMETRIC });
}
