import {
  createRemoteJWKSet,
  customFetch,
  errors,
  type FetchImplementation,
  type JWTVerifyGetKey,
} from "jose";
import type { TokenOptions } from "./token.ts";

/** How long the keys are kept, in milliseconds. */
const KEPT_MS = 10 * 60_000;
/** How soon after the last time a key that is not among them is looked for, in milliseconds. */
const LOOK_AGAIN_MS = 30_000;
/** How long a verification may wait for the issuer, in milliseconds. */
const TIMEOUT_MS = 2_000;
/** The issuer is asked no more often than this, whatever tokens come in, in milliseconds. */
const PAUSE_MS = 1_000;

/** The keys cannot be had, which says nothing about the token. */
export class KeysUnavailable extends Error {
  override name = "KeysUnavailable";
}

/**
 * Finds the issuer's public keys, and keeps them. A key that is not among them is looked for anew,
 * so that a new key soon counts, but seldom, so that bad tokens cost the issuer nothing.
 *
 * The returned function throws {@linkcode KeysUnavailable}, or what jose throws about the token.
 */
export function createKeySet(
  url: URL,
  { now, fetch, log }: Pick<TokenOptions, "now" | "fetch" | "log">,
): JWTVerifyGetKey {
  let askedAt = -Infinity;
  // jose's own pause counts from a success: an issuer that fails would be asked for every token.
  const ask: FetchImplementation = async (url, options) => {
    if (Math.abs(now() - askedAt) < PAUSE_MS) throw new KeysUnavailable();
    askedAt = now();
    try {
      const response = await fetch(url, options);
      if (response.status !== 200) {
        // jose would leave the body unread, and its connection open.
        await response.body?.cancel();
        throw new Unusable(`its status is ${response.status}, not 200`);
      }
      const keySet = await response.json();
      if (!Array.isArray(keySet?.keys)) throw new Unusable("its answer is not a key set");
      return Response.json(keySet);
    } catch (error) {
      log.error("Cannot read the key set of the tokens' issuer", { error: reasonOf(error) });
      throw new KeysUnavailable();
    }
  };
  const remote = createRemoteJWKSet(url, {
    cacheMaxAge: KEPT_MS,
    cooldownDuration: LOOK_AGAIN_MS,
    timeoutDuration: TIMEOUT_MS,
    [customFetch]: ask,
  });
  return async (header, token) => {
    try {
      return await remote(header, token);
    } catch (error) {
      throw isAboutToken(error) ? error : new KeysUnavailable();
    }
  };
}

class Unusable extends Error {}

/** Nothing that the issuer sent. */
function reasonOf(error: unknown): string {
  if (error instanceof Unusable) return error.message;
  if (error instanceof SyntaxError) return "its answer is not a key set";
  return error instanceof DOMException ? "it did not answer in time" : "it cannot be reached";
}

function isAboutToken(error: unknown): boolean {
  return error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported;
}
