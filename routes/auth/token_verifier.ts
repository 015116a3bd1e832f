import {
  CLOCK_TOLERANCE_S,
  type TokenVerification,
  type TokenVerifierOptions,
  type ValidToken,
  type VerifyToken,
} from "./verification.ts";

export type { TokenVerification, TokenVerifierOptions, VerifyToken };

/** How long a verification counts, in milliseconds, even where its key is withdrawn meanwhile. */
const TOKEN_CACHE_MS = 60_000;
const MAX_CACHED_TOKENS = 1_000;

/**
 * Verifies tokens. One that was valid is not verified again for a minute, and never beyond its
 * `exp` and the tolerance: half of what the service can do would go into verifying the same tokens. What verifies is
 * loaded with the first token, so that the service starts sooner.
 */
export function createTokenVerifier(options: TokenVerifierOptions): VerifyToken {
  const { now } = options;
  const remembered = new Map<string, { verification: ValidToken; from: number; until: number }>();
  let verifier: Promise<VerifyToken> | undefined;
  return async (token) => {
    const known = remembered.get(token);
    if (known !== undefined) {
      const at = now();
      if (known.from <= at && at < known.until) return known.verification;
      remembered.delete(token);
    }
    verifier ??= import("./jwt.ts").then(({ createJwtVerifier }) => createJwtVerifier(options));
    const verification = await (await verifier)(token);
    if (verification.outcome !== "valid") return verification;
    const from = now();
    const expiresAt = verification.expiresAt + CLOCK_TOLERANCE_S * 1000;
    const until = Math.min(from + TOKEN_CACHE_MS, expiresAt);
    remembered.set(token, { verification, from, until });
    if (remembered.size > MAX_CACHED_TOKENS) remembered.delete(remembered.keys().next().value!);
    return verification;
  };
}
