export type RateDecision = { allowed: true } | { allowed: false; retryAfterSeconds: number };

/** Limits the submissions of each actor in each tenant. */
export interface RateLimit {
  /** Counts one submission, unless the limit is reached. */
  consume(tenantId: string, actorId: string): Promise<RateDecision>;
}
