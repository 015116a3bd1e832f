const DAY_MS = 24 * 60 * 60 * 1000;

/** The retention period of requests and audit events, which starts at a record's own timestamp. */
export class Retention {
  #periodMs: number;

  /** @param days Null disables expiry. */
  constructor(days: number | null) {
    this.#periodMs = days === null ? Infinity : days * DAY_MS;
  }

  /** Returns `set` options that make a record expire at the end of its retention period. */
  ttlOptions(since: string, now: number): { expireIn?: number } {
    if (this.#periodMs === Infinity) return {};
    return { expireIn: Math.max(1, Date.parse(since) + this.#periodMs - now) };
  }

  /**
   * Returns whether the retention period of a record is over. Reads must check it, because KV removes
   * expired records about once a minute and returns them until then.
   */
  isExpired(since: string, now: number): boolean {
    return this.#periodMs !== Infinity && Date.parse(since) + this.#periodMs <= now;
  }
}
