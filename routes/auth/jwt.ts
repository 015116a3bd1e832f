import {
  base64url,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  jwtVerify,
  type JWTVerifyOptions,
  type JWTVerifyResult,
  type ProtectedHeaderParameters,
} from "jose";
import { parseJson } from "../http/escaped_keys.ts";
import { createActorHash } from "./actor_hash.ts";
import { parseClaims } from "./claims.ts";
import { findCandidates } from "./jwks.ts";
import { createJwksCache, type JwksCache, JwksUnavailableError } from "./jwks_cache.ts";
import { CLOCK_TOLERANCE_S, type TokenVerifierOptions, type VerifyToken } from "./verification.ts";
import { KEY_SET_ALGORITHMS, type VerificationKey } from "./verification_key.ts";

/** In characters. Tokens that list many groups are long; Deno limits all headers to 64 KiB. */
const MAX_TOKEN_LENGTH = 16_384;

/** The media types of access tokens (RFC 7519, RFC 9068), without `application/`. */
const TYPES = ["jwt", "at+jwt"];

/** The token is rejected. `reason` is one of a fixed set, for the log; it contains no token content. */
class TokenRejectedError extends Error {
  constructor(readonly reason: string) {
    super(reason);
  }
}

type Header = ProtectedHeaderParameters & { alg: string; kid?: string };
type VerifySignature = (
  token: string,
  header: Header,
  options: JWTVerifyOptions,
) => Promise<JWTVerifyResult>;

/**
 * Creates a verifier of tokens according to RFC 7519 and RFC 8725: type, algorithm, signature, times,
 * claims. With a key set, shared-secret algorithms are never accepted, and vice versa.
 */
export function createJwtVerifier(options: TokenVerifierOptions): VerifyToken {
  const algorithms = options.secret === undefined ? KEY_SET_ALGORITHMS : ["HS256"];
  const verifySignature = options.secret === undefined
    ? withJwks(createJwksCache(options.jwksUrl ?? "", options))
    : withSecret(options.secret);
  const hashActor = createActorHash(options.secret);
  return async (token) => {
    try {
      const { payload } = await verifySignature(token, parseHeader(token, algorithms), {
        algorithms,
        issuer: options.issuer,
        audience: options.audience,
        clockTolerance: CLOCK_TOLERANCE_S,
        currentDate: new Date(options.now()),
      });
      // jose checks `iat` only if `maxTokenAge` is set.
      const { iat = 0 } = payload;
      if (iat > Math.floor(options.now() / 1000) + CLOCK_TOLERANCE_S) {
        throw new TokenRejectedError("not_yet_valid");
      }
      const parsed = parseClaims(readPayload(token), options);
      if (parsed.outcome === "invalid") throw new TokenRejectedError(`claim_${parsed.claim}`);
      return { ...parsed, actorHash: await hashActor(parsed.claims.actor.id) };
    } catch (error) {
      if (error instanceof JwksUnavailableError) return { outcome: "unavailable" };
      if (error instanceof errors.JWTExpired) return { outcome: "expired" };
      return { outcome: "invalid", reason: rejectionReason(error) };
    }
  };
}

/** Parses and checks the header before any key is needed, so that bad tokens never cause a fetch. */
function parseHeader(token: string, algorithms: string[]): Header {
  if (token.length > MAX_TOKEN_LENGTH) throw new TokenRejectedError("token_too_long");
  const { alg, kid, typ, crit, ...header } = decodeProtectedHeader(token);
  if (crit !== undefined) throw new TokenRejectedError("critical_header");
  if (typ !== undefined && !TYPES.includes(mediaType(typ))) {
    throw new TokenRejectedError("token_type");
  }
  if (alg === undefined || !algorithms.includes(alg)) throw new TokenRejectedError("algorithm");
  if (kid !== undefined && typeof kid !== "string") throw new TokenRejectedError("malformed_token");
  return { ...header, alg, kid };
}

/** Returns the payload of a verified token. jose parses it without regard to escaped keys. */
function readPayload(token: string): JWTPayload {
  const [, payload = ""] = token.split(".");
  return parseJson(new TextDecoder().decode(base64url.decode(payload))) as JWTPayload;
}

/** Returns the type as RFC 7515, 4.1.9, compares it: in lower case and without `application/`. */
function mediaType(typ: unknown): string {
  return typeof typ === "string" ? typ.toLowerCase().replace(/^application\//, "") : "";
}

function rejectionReason(error: unknown): string {
  if (error instanceof TokenRejectedError) return error.reason;
  if (error instanceof errors.JWTClaimValidationFailed) {
    const isEarly = error.claim === "nbf" && error.reason === "check_failed";
    return isEarly ? "not_yet_valid" : `claim_${error.claim}`;
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return "signature";
  return "malformed_token";
}

function withSecret(secret: string): VerifySignature {
  const key = crypto.subtle.importKey(
    "raw",
    new TextEncoder().encode(secret),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["verify"],
  );
  return async (token, _header, options) => await jwtVerify(token, await key, options);
}

function withJwks(jwks: JwksCache): VerifySignature {
  return async (token, header, options) => {
    const keys = await jwks.current();
    const first = await tryKeys(keys, token, header, options);
    if (first.outcome === "verified") return first.result;
    try {
      const newer = await jwks.newerThan(keys);
      const second = newer === keys ? first : await tryKeys(newer, token, header, options);
      if (second.outcome === "verified") return second.result;
      throw new TokenRejectedError(second.reason);
    } catch (error) {
      // The key that the token names is known, so no newer key could make its signature valid.
      if (error instanceof JwksUnavailableError && first.hasNamedKey) {
        throw new TokenRejectedError(first.reason);
      }
      throw error;
    }
  };
}

type Attempt =
  | { outcome: "verified"; result: JWTVerifyResult }
  | { outcome: "failed"; reason: string; hasNamedKey: boolean };

/** Tries every key that could have signed the token. Throws if one has, but a claim is invalid. */
async function tryKeys(
  keys: VerificationKey[],
  token: string,
  header: Header,
  options: JWTVerifyOptions,
): Promise<Attempt> {
  const { candidates, hasTooShort, hasNamedKey } = findCandidates(keys, header);
  for (const candidate of candidates) {
    try {
      const key = await candidate.importFor(header.alg);
      return { outcome: "verified", result: await jwtVerify(token, key, options) };
    } catch (error) {
      // The token is malformed, or its signature is valid and a claim is not. Other errors are about
      // the key, and another key may succeed.
      const isAboutToken = error instanceof errors.JOSEError &&
        !(error instanceof errors.JWSSignatureVerificationFailed);
      if (isAboutToken) throw error;
    }
  }
  const reason = candidates.length > 0 ? "signature" : "unknown_key";
  return { outcome: "failed", reason: hasTooShort ? "rsa_key_too_short" : reason, hasNamedKey };
}
