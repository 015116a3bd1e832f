const DAY_MS = 24 * 60 * 60 * 1000;
const HOUR_MS = 60 * 60 * 1000;

/**
 * Returns the time at which KV may remove a record that expires at `expiresAt`: up to an hour later,
 * spread evenly over what expires in the same minute. KV removes all records whose time has come in
 * one transaction, and neither reads nor commits meanwhile: for half of a million requests, that took a
 * minute. What one busy minute stored must not block the service when it expires.
 */
export function removalTime(expiresAt: number): number {
  return expiresAt + (60 * expiresAt) % HOUR_MS;
}

/** The retention period of requests and audit events, which starts at a record's own timestamp. */
export class Retention {
  #periodMs: number;

  /** @param days Null disables expiry. */
  constructor(days: number | null) {
    this.#periodMs = days === null ? Infinity : days * DAY_MS;
  }

  /** Returns `set` options with which KV removes a record after its retention period. */
  ttlOptions(since: string, now: number): { expireIn?: number } {
    if (this.#periodMs === Infinity) return {};
    const expiresAt = Date.parse(since) + this.#periodMs;
    return { expireIn: Math.max(1, removalTime(expiresAt) - now) };
  }

  /**
   * Returns whether the retention period of a record is over. Reads must check it, because KV returns
   * expired records until it removes them.
   */
  isExpired(since: string, now: number): boolean {
    return this.#periodMs !== Infinity && Date.parse(since) + this.#periodMs <= now;
  }
}
