const DAY_MS = 24 * 60 * 60 * 1000;

/** How long requests and audit events are kept, from the time that they carry. */
export class Retention {
  #ms: number;

  /** @param days Null keeps everything. */
  constructor(days: number | null) {
    this.#ms = days === null ? Infinity : days * DAY_MS;
  }

  /** The options of a `set` that leaves a record what is left of its retention. */
  ttlOptions(since: string, now: number): { expireIn?: number } {
    if (this.#ms === Infinity) return {};
    return { expireIn: Math.max(1, Date.parse(since) + this.#ms - now) };
  }

  /** KV sweeps about once a minute and serves what has expired until then. */
  isExpired(since: string, now: number): boolean {
    return this.#ms !== Infinity && Date.parse(since) + this.#ms <= now;
  }
}
