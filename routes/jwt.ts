import { errors, jwtVerify, type JWTVerifyOptions } from "jose";
import { z } from "zod";
import { TenantId } from "../domain/context.ts";
import { Actor } from "../domain/support_request.ts";
import { createKeySet, KeysUnavailable } from "./key_set.ts";
import type { Claims, TokenOptions, VerifyToken } from "./token.ts";

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
/** The last second that a JavaScript date can hold. */
const LAST_SECOND = 8.64e12;

const Payload = z.object({
  sub: Actor.shape.id,
  exp: z.number().positive().max(LAST_SECOND),
  name: z.string().optional().catch(undefined),
  tenants: z.array(z.unknown()).default([]),
  scope: z.string().default(""),
});

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
      const parsed = Payload.safeParse(payload);
      return parsed.success
        ? { outcome: "valid", claims: toClaims(parsed.data), expiresAt: parsed.data.exp * 1000 }
        : { outcome: "invalid", reason: `claim ${String(parsed.error.issues[0]?.path[0])}` };
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

function toClaims({ sub, name, tenants, scope }: z.infer<typeof Payload>): Claims {
  const shown = name &&
    [...name.replaceAll(/[\p{Cc}\p{Cs}\u2028\u2029]/gu, " ").trim()].slice(0, 120)
      .join("");
  return {
    actor: { id: sub, ...shown && { name: shown } },
    tenants: new Set(tenants.filter((tenant) => TenantId.safeParse(tenant).success) as string[]),
    scopes: new Set(scope.split(" ").filter(Boolean)),
  };
}
