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
  desk_not_configured: () => "No support desk is configured here",
  desk_unavailable: (desk) => `${desk} is not responding at the moment`,
  desk_unreachable: (desk) => `${desk} could not be reached`,
  desk_timeout: (desk) => `${desk} did not answer in time`,
  desk_connection_lost: (desk) => `The connection to ${desk} was lost`,
  desk_refused_credentials: (desk) => `${desk} refused our credentials`,
  desk_rejected: (desk) => `${desk} did not accept the ticket`,
  desk_rate_limited: (desk) => `${desk} is taking no more tickets just now`,
  desk_error: (desk) => `${desk} had an error`,
  desk_unreadable: (desk) => `The answer of ${desk} could not be read`,
  interrupted: () => "The handoff was interrupted",
};

const WHAT_NEXT: Record<FailureReason, string> = {
  desk_not_configured: "Contact support another way and quote it.",
  desk_unavailable: "Try again in a few minutes, or quote it to support.",
  desk_unreachable: "Ask again in a few minutes, or quote it to support.",
  desk_timeout: "Ask again in a few minutes, or quote it to support.",
  desk_connection_lost: "Ask again in a few minutes, or quote it to support.",
  desk_refused_credentials: "Whoever runs this service must renew them; quote it to support.",
  desk_rejected: "Whoever runs this service must check its queue; quote it to support.",
  desk_rate_limited: "Ask again in a few minutes, or quote it to support.",
  desk_error: "Ask again in a few minutes, or quote it to support.",
  desk_unreadable: "Ask again in a few minutes, or quote it to support.",
  interrupted: "Ask again, or quote it to support.",
};

/**
 * The one sentence that a person reads about a failure, at most 200 characters: written here,
 * naming nothing but the desk's label and the request's reference, and saying what to do next.
 */
export function failureSummary(failure: Failure, desk: string, reference: string): string {
  const happened = WHAT_HAPPENED[failure.reason](desk);
  return failure.ticketMayExist
    ? `${happened}; a ticket may exist. Look for ${reference} at the desk before asking again: ` +
      "if it is there, link it."
    : `${happened}; no ticket was made. ${reference} is kept. ${WHAT_NEXT[failure.reason]}`;
}
