import type { Failure, FailureReason } from "../model/failure.ts";
import { failedHandoff, type FinalHandoff, type Ticket, toTimestamp } from "../model/handoff.ts";
import type { SupportRequest } from "../model/support_request.ts";
import type { CallTrace } from "../ports/desk.ts";

/** The outcome of one attempt to hand a request off. `trace` describes its first failed call. */
export type HandoffOutcome =
  | KnownOutcome
  /** Too little is known to record anything: the handoff stays pending, and can be resumed. */
  | { outcome: "unknown"; reason: "desk_unavailable" | "unclear"; trace?: CallTrace };

/** An outcome that finalization records. */
export type KnownOutcome =
  | { outcome: "created"; ticket: Ticket; trace?: CallTrace }
  | { outcome: "failed"; failure: Failure; trace?: CallTrace };

/** Returns the outcome's name in logs and telemetry. */
export function outcomeReason(
  outcome: HandoffOutcome,
): FailureReason | "created" | "unclear" {
  switch (outcome.outcome) {
    case "created":
      return "created";
    case "failed":
      return outcome.failure.reason;
    case "unknown":
      return outcome.reason;
  }
}

/** Converts an outcome to the final state to record at `now` (milliseconds since the epoch). */
export function toFinalHandoff(
  outcome: KnownOutcome,
  { reference }: Pick<SupportRequest, "reference">,
  deskLabel: string,
  now: number,
): FinalHandoff {
  const at = toTimestamp(now);
  return outcome.outcome === "created"
    ? { status: "created", ticket: outcome.ticket, at }
    : failedHandoff(outcome.failure, deskLabel, reference, at);
}
