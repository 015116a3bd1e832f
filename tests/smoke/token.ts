import { redactUrl } from "../../config/redact.ts";
/** Why Deskhand rejects a token. */
import { decodeJwt, decodeProtectedHeader, type JWTPayload } from "jose";
import type { CallResult, Target } from "./call.ts";
import type { Problem } from "./finding.ts";
import type { Settings } from "./settings.ts";

/** How far clocks may differ, as Deskhand tolerates it. */
const TOLERANCE_SECONDS = 5;
const MAX_QUOTED_LENGTH = 100;

/**
 * Explains why the target's token was rejected, from what it claims (its signature is not verified
 * here), from the time by Deskhand's clock, and from the configuration of this machine if there is
 * one.
 */
export function explainRejectedToken(
  result: CallResult,
  { token }: Target,
  { auth }: Settings,
): Problem {
  const claims = decode(token);
  if (claims === null) {
    return {
      cause: "The token was rejected: it is not a JWT, which has three parts joined by periods",
      next: "Use a JWT from your identity provider, or from: deno task token --tenant <id>",
    };
  }
  const now = serverTime(result) / 1000;
  const { exp, nbf, sub, iss, aud } = claims.payload;
  const because = (reason: string, next: string): Problem => ({
    cause: `The token was rejected: ${reason}`,
    next,
  });
  const renew = "Have a new token issued. If it is new, set the clocks of both machines by NTP";
  if (typeof exp !== "number") return because("it has no exp", "Have it issued with exp");
  if (exp + TOLERANCE_SECONDS <= now) {
    return because(`it expired ${Math.round(now - exp)} s ago by Deskhand's clock`, renew);
  }
  if (typeof nbf === "number" && nbf - TOLERANCE_SECONDS > now) {
    return because(`it is valid in ${Math.round(nbf - now)} s by Deskhand's clock (nbf)`, renew);
  }
  if (typeof sub !== "string" || sub === "") {
    return because("it has no sub", "Have it issued with sub, the user's id");
  }
  if (auth.issuer !== undefined && iss !== auth.issuer) {
    return because(
      `its iss is ${quote(iss)}, and AUTH_ISSUER is ${quote(redactUrl(auth.issuer))}`,
      "Correct AUTH_ISSUER and restart Deskhand, or have the token issued by that issuer",
    );
  }
  if (auth.audience !== undefined && ![aud].flat().includes(auth.audience)) {
    return because(
      `its aud is ${quote(aud)}, and AUTH_AUDIENCE is ${quote(redactUrl(auth.audience))}`,
      "Correct AUTH_AUDIENCE and restart Deskhand, or have the token issued for that audience",
    );
  }
  if (auth.scheme !== undefined && (auth.scheme === "secret") !== (claims.alg === "HS256")) {
    const expected = auth.scheme === "secret" ? "AUTH_SECRET needs HS256" : "AUTH_JWKS_URL is set";
    return because(
      `it is signed with ${quote(claims.alg)}, and ${expected}`,
      "Have it issued by what Deskhand trusts: AUTH_SECRET or AUTH_JWKS_URL",
    );
  }
  return because(
    "its signature does not match, or a claim is malformed",
    "Have it signed with this Deskhand's AUTH_SECRET, or by the issuer at its AUTH_JWKS_URL; " +
      "restart Deskhand if .env has changed since it started",
  );
}

/** Returns the tenants that a token names in a claim, as far as they can be read. */
export function tenantsOf(token: string, claim: string): string[] {
  const value = decode(token)?.payload[claim];
  const list = typeof value === "string" ? value.split(" ") : Array.isArray(value) ? value : [];
  return list.filter((tenant) => typeof tenant === "string" && tenant !== "");
}

/** Quotes a value for a terminal: printable ASCII only, at most 100 characters. */
export function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? "missing";
  return text.slice(0, MAX_QUOTED_LENGTH).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function decode(token: string): { alg: unknown; payload: JWTPayload } | null {
  try {
    return { alg: decodeProtectedHeader(token).alg, payload: decodeJwt(token) };
  } catch {
    return null;
  }
}

/** The time by the server's clock, in milliseconds since the epoch; otherwise by this machine's. */
function serverTime(result: CallResult): number {
  const date = result.outcome === "response" ? result.headers.get("Date") : null;
  return Date.parse(date ?? "") || Date.now();
}
