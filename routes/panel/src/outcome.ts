import { isOneOf } from "./parse.ts";
import { TEXT_KEYS, type TextKey, type TextValues } from "./texts/en.ts";
import type { SupportRequest, Ticket } from "./types.ts";

/** What became of a request, as the panel distinguishes it. Its texts, icon and color have its name. */
export type OutcomeName = "created" | "linked" | "none" | "pending" | "failed" | "unclear";

/** The reason of a handoff whose process ended before it did. */
export const INTERRUPTED = "interrupted";

export interface Outcome {
  name: OutcomeName;
  /** What happened, and what to do next. */
  sentences: TextKey[];
  values: TextValues;
  ticket?: Ticket;
  /** What helps if the handoff failed. */
  remedy?: "create" | "link";
  /** Why the handoff failed. */
  reason?: string;
}

export function outcomeOf({ handoff }: SupportRequest): Outcome {
  const { status } = handoff;
  if (status === "failed") {
    const { reason, ticketMayExist } = handoff;
    // A newer service may have another reason.
    const isKnown = isOneOf(TEXT_KEYS, reason);
    const next = reason === INTERRUPTED ? INTERRUPTED : ticketMayExist ? "unclear" : "failed";
    return {
      name: ticketMayExist ? "unclear" : "failed",
      sentences: [isKnown ? reason : "reasonUnknown", `next_${next}`],
      values: {},
      remedy: ticketMayExist ? "link" : "create",
      reason,
    };
  }
  const ticket = status === "created" || status === "linked" ? handoff.ticket : undefined;
  return {
    name: status,
    sentences: [`next_${status}`],
    values: { number: ticket?.reference ?? "" },
    ticket,
  };
}
