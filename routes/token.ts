import type { Log } from "../domain/ports.ts";
import type { ClaimNames, Claims } from "./claims.ts";

export interface TokenOptions extends ClaimNames {
  /** The HS256 secret; exactly one of this and `jwksUrl` is set. */
  secret?: string;
  /** Where the issuer publishes its public keys. */
  jwksUrl?: string;
  issuer?: string;
  audience?: string;
  now(): number;
  /** Asks for the key set, and nothing else. */
  fetch: typeof fetch;
  log: Pick<Log, "error">;
}

/** `expiresAt` is in milliseconds since the epoch. */
type Valid = { outcome: "valid"; claims: Claims; expiresAt: number };

export type Verification =
  | Valid
  /** `reason` is for the log. */
  | { outcome: "invalid"; reason: string }
  | { outcome: "expired" }
  /** The keys cannot be had, which says nothing about the token. */
  | { outcome: "unavailable" };

export type VerifyToken = (token: string) => Promise<Verification>;

/** How long a verification counts, in milliseconds, even where its key is withdrawn meanwhile. */
const REMEMBERED_MS = 60_000;
const MAX_REMEMBERED = 1_000;

/**
 * Verifies tokens. One that was valid is not verified again for a minute, and never beyond its
 * `exp`: half of what the service can do would go into verifying the same tokens. What verifies is
 * loaded with the first token, so that the service starts sooner.
 */
export function createVerifyToken(options: TokenOptions): VerifyToken {
  const { now } = options;
  const remembered = new Map<string, { verification: Valid; from: number; until: number }>();
  let verifier: Promise<VerifyToken> | undefined;
  return async (token) => {
    const known = remembered.get(token);
    if (known !== undefined) {
      const at = now();
      if (known.from <= at && at < known.until) return known.verification;
      remembered.delete(token);
    }
    verifier ??= import("./jwt.ts").then(({ createVerifyJwt }) => createVerifyJwt(options));
    const verification = await (await verifier)(token);
    if (verification.outcome !== "valid") return verification;
    const from = now();
    const until = Math.min(from + REMEMBERED_MS, verification.expiresAt);
    remembered.set(token, { verification, from, until });
    if (remembered.size > MAX_REMEMBERED) remembered.delete(remembered.keys().next().value!);
    return verification;
  };
}
