import { SignJWT } from "jose";

export interface TokenClaims {
  sub?: string;
  name?: string;
  email?: string;
  emailVerified?: boolean;
  tenants?: string[];
  scope?: string;
  /** Seconds until the token expires. */
  lifetime?: number;
  /** Seconds since the epoch; by default now. */
  issuedAt?: number;
  issuer?: string;
  audience?: string;
  /** The names of the claims that hold the tenants and the scopes. */
  tenantsClaim?: string;
  scopesClaim?: string;
}

export const ALL_SCOPES = "support_requests:create support_requests:read audit:read";

/** Returns an HS256 token as a product's own backend would create it. */
export function mintToken(secret: string, claims: TokenClaims = {}): Promise<string> {
  const { sub = "u-1", name, tenants = ["acme"], scope = ALL_SCOPES, lifetime = 3600 } = claims;
  const token = new SignJWT({
    [claims.tenantsClaim ?? "tenants"]: tenants,
    [claims.scopesClaim ?? "scope"]: scope,
    ...name !== undefined && { name },
    ...claims.email !== undefined && { email: claims.email },
    ...claims.emailVerified !== undefined && { email_verified: claims.emailVerified },
  })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(sub)
    .setIssuedAt(claims.issuedAt)
    .setExpirationTime(`${lifetime} seconds`);
  if (claims.issuer !== undefined) token.setIssuer(claims.issuer);
  if (claims.audience !== undefined) token.setAudience(claims.audience);
  return token.sign(new TextEncoder().encode(secret));
}
