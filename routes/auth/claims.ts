import * as z from "zod";
import { TenantId } from "../../domain/model/context.ts";
import { VerifiedEmail } from "../../domain/model/email.ts";
import { Actor } from "../../domain/model/support_request.ts";
import { isBlank } from "../../domain/model/text.ts";

/** The claims of a verified token. */
export interface Claims {
  actor: Actor;
  /** The actor's email address, unless the issuer marks it as unverified. */
  requestorEmail?: string;
  tenants: ReadonlySet<string>;
  scopes: ReadonlySet<string>;
}

/** The names of the claims with the tenants and the scopes: they differ between identity providers. */
export interface ClaimNames {
  tenantsClaim: string;
  scopesClaim: string;
}

export type ParsedClaims =
  | { outcome: "valid"; claims: Claims; expiresAt: number }
  /** `claim` is our name for it, never one from the token or the configuration. */
  | { outcome: "invalid"; claim: "sub" | "exp" | "tenants" | "scopes" };

/** The largest timestamp, in seconds, that a JavaScript Date can represent. */
const MAX_TIMESTAMP_S = 8.64e12;
const MAX_NAME_CHARACTERS = 120;

const ExpiresAt = z.number().positive().max(MAX_TIMESTAMP_S);

/** Parses the payload of a token whose signature and times have been verified. */
export function parseClaims(payload: Record<string, unknown>, names: ClaimNames): ParsedClaims {
  const id = Actor.shape.id.safeParse(payload.sub);
  if (!id.success) return { outcome: "invalid", claim: "sub" };
  const expires = ExpiresAt.safeParse(payload.exp);
  if (!expires.success) return { outcome: "invalid", claim: "exp" };
  const tenants = toList(findClaim(payload, names.tenantsClaim));
  if (tenants === null) return { outcome: "invalid", claim: "tenants" };
  const scopes = toList(findClaim(payload, names.scopesClaim));
  if (scopes === null) return { outcome: "invalid", claim: "scopes" };
  const name = toName(payload.name);
  const requestorEmail = toVerifiedEmail(payload);
  return {
    outcome: "valid",
    claims: {
      actor: { id: id.data, ...name !== undefined && { name } },
      ...requestorEmail !== undefined && { requestorEmail },
      tenants: new Set(tenants.filter((tenant) => TenantId.safeParse(tenant).success)),
      scopes: new Set(scopes),
    },
    expiresAt: expires.data * 1000,
  };
}

/**
 * Returns a claim by its full name, such as `scp` or `https://acme.example/tenants`. If there is none,
 * the name is a path into nested objects, such as Keycloak's `realm_access.roles`, unless it contains
 * a slash or a colon: a URL is one name.
 */
function findClaim(payload: Record<string, unknown>, name: string): unknown {
  if (Object.hasOwn(payload, name)) return payload[name];
  if (/[/:]/.test(name)) return undefined;
  let value: unknown = payload;
  for (const part of name.split(".")) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    if (!Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}

/** Returns the strings of an array or of a space-separated string (RFC 6749, 3.3), otherwise null. */
function toList(claim: unknown): string[] | null {
  if (claim === undefined) return [];
  if (typeof claim === "string") return claim.split(" ").filter(Boolean);
  return Array.isArray(claim) ? claim.filter((item) => typeof item === "string") : null;
}

function toName(claim: unknown): string | undefined {
  if (typeof claim !== "string" || isBlank(claim)) return undefined;
  const line = claim.replaceAll(/[\p{Cc}\p{Cs}\u2028\u2029]/gu, " ").trim();
  return [...line].slice(0, MAX_NAME_CHARACTERS).join("") || undefined;
}

/**
 * Returns the email address that the desk may send mail to, or undefined if it is unverified or not
 * exactly one address. Some issuers send `email_verified` as a string.
 */
function toVerifiedEmail({ email, email_verified }: Record<string, unknown>): string | undefined {
  if (email_verified === false || /^(false|0|no)$/i.test(String(email_verified))) return undefined;
  return VerifiedEmail.safeParse(email).data;
}
