import { EN, type TextKey, type TextValues } from "./texts/en.ts";
import type { SupportRequest, Ticket } from "./types.ts";

/** What became of a request, as the panel distinguishes it. Its texts, icon and color have its name. */
export type OutcomeName = "created" | "linked" | "none" | "pending" | "failed" | "unclear";

export interface Outcome {
  name: OutcomeName;
  /** What happened, and what to do next. */
  sentences: TextKey[];
  values: TextValues;
  ticket?: Ticket;
  /** What helps if the handoff failed. */
  remedy?: "create" | "link";
  isInterrupted?: boolean;
}

export function outcomeOf({ handoff }: SupportRequest): Outcome {
  const { status } = handoff;
  if (status === "failed") {
    const { reason, ticketMayExist } = handoff;
    const isInterrupted = reason === "interrupted";
    // A newer service may have another reason.
    const isKnown = Object.hasOwn(EN, reason);
    const next = isInterrupted ? "interrupted" : ticketMayExist ? "unclear" : "failed";
    return {
      name: ticketMayExist ? "unclear" : "failed",
      sentences: [isKnown ? reason as TextKey : "reasonUnknown", `next_${next}`],
      values: {},
      remedy: ticketMayExist ? "link" : "create",
      isInterrupted,
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
