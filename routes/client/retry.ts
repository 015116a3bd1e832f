import { ConnectionError, ProblemError, UnexpectedResponseError } from "./errors.ts";

/** The longest `Retry-After` that is waited for, in milliseconds; a longer one is an error. */
const MAX_RETRY_AFTER_MS = 20_000;
const MAX_BACKOFF_MS = 5_000;

/**
 * Returns how long to wait before the call is attempted again, in milliseconds, or null if another
 * attempt would not help.
 *
 * @param attempt The number of attempts so far.
 */
export function retryDelay(error: unknown, attempt: number, firstDelayMs: number): number | null {
  if (error instanceof ProblemError) {
    switch (error.status) {
      case 409:
      case 429:
      case 503: {
        const delay = error.retryAfterMs ?? backoff(attempt, firstDelayMs);
        return delay <= MAX_RETRY_AFTER_MS ? delay : null;
      }
      default:
        return null;
    }
  }
  const isProxyError = error instanceof UnexpectedResponseError &&
    [429, 502, 503, 504].includes(error.status);
  return isProxyError || error instanceof ConnectionError ? backoff(attempt, firstDelayMs) : null;
}

/** Returns whether the service rejected the token. It has stored nothing. */
export function isTokenRejected(error: unknown): boolean {
  return error instanceof ProblemError && error.slug === "unauthenticated";
}

/** Doubles with each attempt; half of it is random, so that clients do not return together. */
function backoff(attempt: number, firstDelayMs: number): number {
  const delay = Math.min(firstDelayMs * 2 ** (attempt - 1), MAX_BACKOFF_MS);
  return delay / 2 + Math.random() * delay / 2;
}

/** Resolves after `delayMs`. Rejects with the signal's reason if it aborts first. */
export function wait(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, delayMs);
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort, { once: true });
  });
}
