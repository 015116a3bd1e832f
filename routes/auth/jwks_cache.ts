/** Fetches and caches the key set (JWKS, RFC 7517) of the tokens' issuer. */
import { BodyError, readBoundedJson } from "./bounded_json.ts";
import { type Jwks, parseJwks } from "./jwks.ts";
import type { TokenVerifierOptions } from "./verification.ts";
import type { KeyProblem, VerificationKey } from "./verification_key.ts";

/** How long fetched keys are used before they are fetched again, in milliseconds. */
const CACHE_MAX_AGE_MS = 10 * 60_000;
/** How long they are used while the issuer is unavailable, so that its outage logs nobody out. */
const STALE_MAX_AGE_MS = 60 * 60_000;
/** The timeout of a fetch, including its body, in milliseconds. */
const FETCH_TIMEOUT_MS = 2_000;
/** The minimum time between two fetches while there are no keys, in milliseconds. */
const MIN_FETCH_INTERVAL_MS = 1_000;
/** The same while there are keys. Bounds how soon a rotated key is accepted. */
const COOLDOWN_MS = 3_000;
/** The size limit of a key set, in bytes. */
const MAX_BYTES = 1024 * 1024;

/** The keys are unavailable, which says nothing about the validity of a token. */
export class JwksUnavailableError extends Error {
  override name = "JwksUnavailableError";
}

export interface JwksCache {
  /**
   * Returns the keys, fetched or cached.
   *
   * @throws {JwksUnavailableError} The issuer is unavailable, and cached keys are too old.
   */
  current(): Promise<VerificationKey[]>;
  /**
   * Returns keys that were fetched after `known`, for a token that none of `known` has signed. Returns
   * `known` if they were fetched within the last three seconds, because forged tokens must not cause
   * requests to the issuer.
   *
   * @throws {JwksUnavailableError} The issuer is unavailable.
   */
  newerThan(known: VerificationKey[]): Promise<VerificationKey[]>;
}

type Options = Pick<TokenVerifierOptions, "now" | "fetch" | "deadline" | "log">;

/**
 * Creates the cache of the key set at `url`. A token with an unknown key causes a new fetch, so that
 * rotated keys are accepted soon.
 */
export function createJwksCache(url: string, { now, fetch, deadline, log }: Options): JwksCache {
  let cached: { keys: VerificationKey[]; fetchedAt: number } | null = null;
  let lastFetch = { at: -Infinity, failed: false };
  let inFlight: Promise<void> | null = null;
  const report = createReporter(log);

  /** Absolute, because the clock may jump in both directions. */
  const since = (at: number) => Math.abs(now() - at);

  /** Fetches the keys, unless the latest fetch started within `minIntervalMs`. Never rejects. */
  function refresh(minIntervalMs: number): Promise<void> {
    if (inFlight === null && since(lastFetch.at) >= minIntervalMs) {
      inFlight = fetchKeys().finally(() => inFlight = null);
    }
    return inFlight ?? Promise.resolve();
  }

  async function fetchKeys(): Promise<void> {
    lastFetch = { at: now(), failed: lastFetch.failed };
    try {
      using signal = deadline(FETCH_TIMEOUT_MS);
      const { keys, problems } = await fetchJwks(url, fetch, signal);
      cached = { keys, fetchedAt: now() };
      lastFetch.failed = false;
      report.fetched(problems, keys.some(({ isTooShort }) => !isTooShort));
    } catch (error) {
      lastFetch.failed = true;
      report.failed(error);
    }
  }

  return {
    async current() {
      if (cached !== null && since(cached.fetchedAt) < CACHE_MAX_AGE_MS) return cached.keys;
      const refreshed = refresh(cached === null ? MIN_FETCH_INTERVAL_MS : COOLDOWN_MS);
      // While the issuer is known to be unavailable, requests do not wait for it.
      const isUsable = cached !== null && since(cached.fetchedAt) < STALE_MAX_AGE_MS;
      if (!(isUsable && lastFetch.failed)) await refreshed;
      if (cached === null || since(cached.fetchedAt) >= STALE_MAX_AGE_MS) {
        throw new JwksUnavailableError();
      }
      return cached.keys;
    },
    async newerThan(known) {
      if (cached === null || cached.keys === known) await refresh(COOLDOWN_MS);
      if (cached === null || cached.keys === known && lastFetch.failed) {
        throw new JwksUnavailableError();
      }
      return cached.keys;
    },
  };
}

/** Why a fetch failed, for the log. Never contains text from the issuer. */
class FetchError extends Error {
  constructor(readonly reason: string, readonly status?: number) {
    super(reason);
  }
}

async function fetchJwks(
  url: string,
  fetch: Options["fetch"],
  deadline: AbortSignal,
): Promise<Jwks> {
  const headers = { "Accept": "application/jwk-set+json, application/json" };
  // Closes the connection even if the body was not read to its end.
  const done = new AbortController();
  const signal = AbortSignal.any([deadline, done.signal]);
  try {
    // Following a redirect would let another host decide which keys are trusted.
    const response = await fetch(url, { headers, redirect: "manual", signal });
    const { status } = response;
    if (status >= 300 && status < 400) throw new FetchError("redirect", status);
    if (status !== 200) throw new FetchError("unexpected_status", status);
    const jwks = await parseJwks(await readBoundedJson(response, MAX_BYTES));
    if (jwks === null) throw new FetchError("not_a_key_set");
    return jwks;
  } finally {
    done.abort();
  }
}

/** Logs each problem of the key set once, instead of once per request or fetch. */
function createReporter(log: Options["log"]) {
  let lastFailure: string | null = null;
  let lastProblems = "";
  return {
    failed(error: unknown): void {
      const reason = failureReason(error);
      const status = error instanceof FetchError ? error.status : undefined;
      if (lastFailure === `${reason} ${status}`) return;
      lastFailure = `${reason} ${status}`;
      log.error("key_set_unavailable", "Cannot fetch the issuer's key set", {
        reason,
        ...status !== undefined && { status },
      });
    },
    fetched(problems: ReadonlyMap<KeyProblem, number>, isUsable: boolean): void {
      if (lastFailure !== null) {
        log.info("key_set_available", "Fetched the issuer's key set again");
      }
      lastFailure = null;
      const found = JSON.stringify([...problems, isUsable]);
      if (found === lastProblems) return;
      lastProblems = found;
      for (const [reason, count] of problems) {
        const isUsed = reason === "private_key_published";
        log.warn(
          "key_set_problem",
          isUsed
            ? "The issuer's key set contains a private key: anybody who can read it can sign tokens"
            : "Ignored keys in the issuer's key set",
          { reason, count },
        );
      }
      if (isUsable) return;
      log.error("key_set_unusable", "The issuer's key set has no key that can verify tokens", {
        reason: "no_usable_key",
      });
    },
  };
}

function failureReason(error: unknown): string {
  if (error instanceof FetchError || error instanceof BodyError) return error.reason;
  if (error instanceof DOMException) return "timeout";
  if (!(error instanceof Error)) return "connection_lost";
  const text = `${error.message}\n${error.cause instanceof Error ? error.cause.message : ""}`;
  if (/dns error|failed to lookup/i.test(text)) return "name_not_resolved";
  if (/certificate|CA file|tls|ssl|corrupt message/i.test(text)) return "tls_failed";
  if (/refused/i.test(text)) return "connection_refused";
  return /client error \(Connect\)/.test(text) ? "unreachable" : "connection_lost";
}
