import {
  createRemoteJWKSet,
  customFetch,
  errors,
  type FetchImplementation,
  type JWTVerifyGetKey,
} from "jose";

/** How long a verification may wait for the issuer, in milliseconds. */
const TIMEOUT_MS = 2_000;
/** The issuer is asked no more often than this, whatever tokens come in, in milliseconds. */
const PAUSE_MS = 1_000;

/** The keys cannot be had, which says nothing about the token. */
export class KeysUnavailable extends Error {
  override name = "KeysUnavailable";
}

/**
 * Finds the issuer's public keys, and keeps them for ten minutes. A key that is not among them is
 * looked for anew at most every 30 seconds, so that a new key soon counts and bad tokens cost the
 * issuer nothing.
 *
 * The returned function throws {@linkcode KeysUnavailable}, or what jose throws about the token.
 */
export function createKeySet(url: URL, now: () => number): JWTVerifyGetKey {
  let askedAt = -Infinity;
  // jose's own pause counts from a success: an issuer that fails would be asked for every token.
  const ask: FetchImplementation = async (url, options) => {
    if (Math.abs(now() - askedAt) < PAUSE_MS) throw new KeysUnavailable();
    askedAt = now();
    const response = await fetch(url, options);
    if (response.status === 200) return response;
    // jose would leave the body unread, and its connection open.
    await response.body?.cancel();
    throw new KeysUnavailable();
  };
  const remote = createRemoteJWKSet(url, { timeoutDuration: TIMEOUT_MS, [customFetch]: ask });
  return async (header, token) => {
    try {
      return await remote(header, token);
    } catch (error) {
      throw isAboutToken(error) ? error : new KeysUnavailable();
    }
  };
}

function isAboutToken(error: unknown): boolean {
  return error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported;
}
