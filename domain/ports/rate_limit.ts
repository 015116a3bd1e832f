export type RateDecision = { allowed: true } | { allowed: false; retryAfterSeconds: number };

/** Counts the submissions of one actor in one tenant. */
export interface RateLimit {
  consume(tenantId: string, actorId: string): Promise<RateDecision>;
}
