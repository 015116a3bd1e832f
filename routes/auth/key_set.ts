import { BodyError, readBoundedJson } from "./bounded_json.ts";
import { type KeyProblem, parseKeySet, type VerificationKey } from "./jwks.ts";
import type { TokenVerifierOptions } from "./verification.ts";

/** How long fetched keys are used before they are fetched again, in milliseconds. */
const CACHE_MAX_AGE_MS = 10 * 60_000;
/** How long they are used if the issuer cannot be reached, so that its outage logs nobody out. */
const STALE_MAX_AGE_MS = 60 * 60_000;
/** The timeout of a fetch, with its body, in milliseconds. */
const FETCH_TIMEOUT_MS = 2_000;
/** The least time between two fetches while there are no keys, in milliseconds. */
const MIN_FETCH_INTERVAL_MS = 1_000;
/** The same while there are keys, whatever tokens arrive: so soon a rotated key counts. */
const COOLDOWN_MS = 3_000;
const MAX_BYTES = 1024 * 1024;

/** The keys are unavailable, which says nothing about the token. */
export class KeySetUnavailableError extends Error {
  override name = "KeySetUnavailableError";
}

export interface KeySetCache {
  /**
   * Returns the keys, fetched or cached.
   *
   * @throws {KeySetUnavailableError} The issuer cannot be reached, and cached keys are too old.
   */
  current(): Promise<VerificationKey[]>;
  /**
   * Returns keys that were fetched after `known`, for a token that none of those has signed. Returns
   * `known` if they were fetched within the last seconds, because tokens that nobody signed must not
   * flood the issuer.
   *
   * @throws {KeySetUnavailableError} The issuer cannot be reached.
   */
  newerThan(known: VerificationKey[]): Promise<VerificationKey[]>;
}

type Options = Pick<TokenVerifierOptions, "now" | "fetch" | "deadline" | "log">;

/** Fetches and caches the issuer's public keys. */
export function createKeySet(url: string, { now, fetch, deadline, log }: Options): KeySetCache {
  let cached: { keys: VerificationKey[]; fetchedAt: number } | null = null;
  let last = { at: -Infinity, failed: false };
  let inFlight: Promise<void> | null = null;
  const report = createReporter(log);

  /** The clock may jump in both directions. */
  const since = (at: number) => Math.abs(now() - at);

  /** Fetches the keys, unless that was tried within `pauseMs`. Never rejects. */
  function refresh(pauseMs: number): Promise<void> {
    if (inFlight === null && since(last.at) >= pauseMs) {
      inFlight = fetchKeys().finally(() => inFlight = null);
    }
    return inFlight ?? Promise.resolve();
  }

  async function fetchKeys(): Promise<void> {
    last = { at: now(), failed: last.failed };
    try {
      const { keys, problems } = await fetchKeySet(url, fetch, deadline(FETCH_TIMEOUT_MS));
      cached = { keys, fetchedAt: now() };
      last.failed = false;
      report.fetched(problems, keys.some(({ isTooShort }) => !isTooShort));
    } catch (error) {
      last.failed = true;
      report.failed(error);
    }
  }

  return {
    async current() {
      if (cached !== null && since(cached.fetchedAt) < CACHE_MAX_AGE_MS) return cached.keys;
      const refreshed = refresh(cached === null ? MIN_FETCH_INTERVAL_MS : COOLDOWN_MS);
      // Once the issuer is known to be down, requests do not wait for it.
      const isUsable = cached !== null && since(cached.fetchedAt) < STALE_MAX_AGE_MS;
      if (!(isUsable && last.failed)) await refreshed;
      if (cached === null || since(cached.fetchedAt) >= STALE_MAX_AGE_MS) {
        throw new KeySetUnavailableError();
      }
      return cached.keys;
    },
    async newerThan(known) {
      if (cached === null || cached.keys === known) await refresh(COOLDOWN_MS);
      if (cached === null || cached.keys === known && last.failed) {
        throw new KeySetUnavailableError();
      }
      return cached.keys;
    },
  };
}

/** Why the key set could not be fetched, for the log. Never contains text from the issuer. */
class FetchError extends Error {
  constructor(readonly reason: string, readonly status?: number) {
    super(reason);
  }
}

async function fetchKeySet(url: string, fetch: Options["fetch"], deadline: AbortSignal) {
  const headers = { "Accept": "application/jwk-set+json, application/json" };
  // Ends the connection, with whatever of the body is not read.
  const end = new AbortController();
  const signal = AbortSignal.any([deadline, end.signal]);
  try {
    // A followed redirect would let another host say who may sign.
    const response = await fetch(url, { headers, redirect: "manual", signal });
    const { status } = response;
    if (status >= 300 && status < 400) throw new FetchError("redirect", status);
    if (status !== 200) throw new FetchError("unexpected_status", status);
    const keySet = await parseKeySet(await readBoundedJson(response, MAX_BYTES));
    if (keySet === null) throw new FetchError("not_a_key_set");
    return keySet;
  } finally {
    end.abort();
  }
}

/** Logs what makes a key set unusable once, and not for each request or fetch. */
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
            : "Ignored keys of the issuer's key set",
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
