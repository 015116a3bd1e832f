import type { Clock } from "../../domain/ports/clock.ts";
import type { Log } from "../../domain/ports/log.ts";
import type { ClaimNames, Claims } from "./claims.ts";

export interface TokenVerifierOptions extends ClaimNames {
  /** The HS256 secret; exactly one of this and `jwksUrl` is set. */
  secret?: string;
  /** The URL of the issuer's key set. */
  jwksUrl?: string;
  issuer?: string;
  audience?: string;
  now: Clock["now"];
  deadline: Clock["deadline"];
  /** Used only to fetch the key set. */
  fetch: typeof fetch;
  log: Pick<Log, "info" | "warn" | "error">;
}

export interface ValidToken {
  outcome: "valid";
  claims: Claims;
  /** Identifies the actor in the log. */
  actorHash: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
}

export type TokenVerification =
  | ValidToken
  /** `reason` is for the log. */
  | { outcome: "invalid"; reason: string }
  | { outcome: "expired" }
  /** The keys are unavailable, which says nothing about the validity of the token. */
  | { outcome: "unavailable" };

export type VerifyToken = (token: string) => Promise<TokenVerification>;

/** The maximum difference between the issuer's clock and ours, in seconds. */
export const CLOCK_TOLERANCE_S = 5;
