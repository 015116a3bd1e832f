import * as z from "zod";

/** Why a handoff failed. A closed set: text from the desk never becomes a reason. */
export const FailureReason = z.enum([
  "desk_not_configured",
  "desk_unavailable",
  "desk_unreachable",
  "desk_timeout",
  "desk_connection_lost",
  "desk_refused_credentials",
  "desk_rejected",
  "desk_rate_limited",
  "desk_error",
  "desk_unreadable",
  "interrupted",
]);
export type FailureReason = z.infer<typeof FailureReason>;

export interface Failure {
  reason: FailureReason;
  /** Whether the desk may have created a ticket nevertheless. */
  ticketMayExist: boolean;
}

const WHAT_HAPPENED: Record<FailureReason, (desk: string) => string> = {
  desk_not_configured: () => "No support desk is set up here",
  desk_unavailable: (desk) => `${desk} is not available right now`,
  desk_unreachable: (desk) => `${desk} could not be reached`,
  desk_timeout: (desk) => `${desk} did not respond in time`,
  desk_connection_lost: (desk) => `The connection to ${desk} was lost`,
  desk_refused_credentials: (desk) => `${desk} denied access`,
  desk_rejected: (desk) => `${desk} did not accept the request`,
  desk_rate_limited: (desk) => `${desk} is too busy`,
  desk_error: (desk) => `${desk} had an error`,
  desk_unreadable: (desk) => `${desk} gave an unclear response`,
  interrupted: () => "Sending the request was interrupted",
};

const RETRY = "Try again later, or give support that reference.";
/** For failures that recur until an operator has changed something. */
const CONTACT = "Contact support directly, with that reference.";

const WHAT_NEXT: Record<FailureReason, string> = {
  desk_not_configured: CONTACT,
  desk_unavailable: RETRY,
  desk_unreachable: RETRY,
  desk_timeout: RETRY,
  desk_connection_lost: RETRY,
  desk_refused_credentials: CONTACT,
  desk_rejected: CONTACT,
  desk_rate_limited: RETRY,
  desk_error: RETRY,
  desk_unreadable: RETRY,
  interrupted: "Check it again, or give support that reference.",
};

/**
 * If a ticket may exist. Not for an interrupted handoff: checking that again looks its ticket up.
 */
const FIND = "Look for it at the desk, then link it or send it again.";

/**
 * Returns what the user reads about a failure, at most 200 characters: what happened, whether there
 * is a ticket, that the request is saved, its reference, and what to do next. The only variable
 * parts are the desk's label and the reference. The log has what operators need.
 */
export function failureSummary(failure: Failure, desk: string, reference: string): string {
  const { reason, ticketMayExist } = failure;
  const whatHappened = WHAT_HAPPENED[reason](desk);
  const ticket = ticketMayExist ? "a ticket may exist" : "no ticket was created";
  const next = ticketMayExist && reason !== "interrupted" ? FIND : WHAT_NEXT[reason];
  return `${whatHappened}; ${ticket}. Your request is saved as ${reference}. ${next}`;
}
