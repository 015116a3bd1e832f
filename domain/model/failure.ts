import { z } from "zod";

/** Why a handoff failed. The set is closed: nothing that the desk said is ever a reason. */
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
  ticketMayExist: boolean;
}

/** The longest desk label that keeps every sentence within 200 characters. */
export const MAX_LABEL_LENGTH = 40;

const WHAT_HAPPENED: Record<FailureReason, (desk: string) => string> = {
  desk_not_configured: () => "No support desk is set up here",
  desk_unavailable: (desk) => `${desk} is not available now`,
  desk_unreachable: (desk) => `${desk} could not be reached`,
  desk_timeout: (desk) => `${desk} did not respond in time`,
  desk_connection_lost: (desk) => `The connection to ${desk} broke`,
  desk_refused_credentials: (desk) => `${desk} denied access`,
  desk_rejected: (desk) => `${desk} did not accept the request`,
  desk_rate_limited: (desk) => `${desk} is too busy`,
  desk_error: (desk) => `${desk} had an error`,
  desk_unreadable: (desk) => `${desk} gave an unclear response`,
  interrupted: () => "Sending the request was interrupted",
};

const RETRY = "Try again later, or give support that reference.";
/** For what is the same when it is tried again, until an operator has changed something. */
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

/** For a person who can look: an interrupted request is looked up by checking it again. */
const FIND = "Look for it at the desk, then link it or send it again.";

/**
 * Returns what the person who asked reads about a failure, at most 200 characters: what happened,
 * whether there is a ticket, that the request is saved, its reference, and what to do next. It names
 * nothing but the desk's label and the reference. What operators need is in the log.
 */
export function failureSummary(failure: Failure, desk: string, reference: string): string {
  const { reason, ticketMayExist } = failure;
  const happened = WHAT_HAPPENED[reason](desk);
  const ticket = ticketMayExist ? "a ticket may exist" : "no ticket was created";
  const next = ticketMayExist && reason !== "interrupted" ? FIND : WHAT_NEXT[reason];
  return `${happened}; ${ticket}. Your request is saved as ${reference}. ${next}`;
}
