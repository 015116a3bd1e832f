import * as z from "zod";
import { type Failure, FailureReason, failureSummary } from "./failure.ts";
import type { Reference } from "./reference.ts";

/** ISO 8601 in UTC, with milliseconds. */
export const Timestamp = z.iso.datetime({ precision: 3 });

/**
 * A Request Tracker ticket number. At most 15 digits, so that JavaScript numbers represent it
 * exactly.
 */
export const TicketNumber = z.string().regex(/^[1-9][0-9]{0,14}$/);

/**
 * A ticket at the desk. `url` is built from the configured desk's URL, never taken from a response.
 */
export const Ticket = z.object({ reference: TicketNumber, url: z.url() });
export type Ticket = z.infer<typeof Ticket>;

/** The request is only stored. Entered at submission with mode `none`; final. */
const None = z.object({ status: z.literal("none") });
/**
 * The desk is being called, or the process that called it has died. Entered at submission with mode
 * `create`; left once, to `created` or `failed`, when finalization records the outcome.
 */
const Pending = z.object({ status: z.literal("pending"), since: Timestamp });
/** The desk has a ticket for the request. Entered by finalization; final. */
const Created = z.object({ status: z.literal("created"), ticket: Ticket, at: Timestamp });
/** The user specified an existing ticket. Entered at submission with mode `link`; final. */
const Linked = z.object({ status: z.literal("linked"), ticket: Ticket, at: Timestamp });
/**
 * There is no ticket, or it is not known whether there is one. Entered by finalization, or at
 * submission if no desk is configured; final.
 */
const Failed = z.object({
  status: z.literal("failed"),
  reason: FailureReason,
  summary: z.string().max(200),
  ticketMayExist: z.boolean(),
  at: Timestamp,
});

/** The state of a request at the desk, as the API and the audit log show it. */
export const Handoff = z.discriminatedUnion("status", [None, Pending, Created, Linked, Failed]);
export type Handoff = z.infer<typeof Handoff>;

/**
 * A handoff as stored in the record. A pending one has a deadline: after `until` it can no longer
 * be in progress. The process that starts the handoff computes it once; version 1 stored none.
 */
export const StoredHandoff = z.discriminatedUnion("status", [
  None,
  Pending.extend({ until: Timestamp.optional() }),
  Created,
  Linked,
  Failed,
]);
export type StoredHandoff = z.infer<typeof StoredHandoff>;

export type PendingHandoff = Extract<StoredHandoff, { status: "pending" }>;

/** A state that finalization can record. */
export type FinalHandoff = Extract<Handoff, { status: "created" | "failed" }>;

/** Returns the failed state, with the summary that the user reads. */
export function failedHandoff(
  failure: Failure,
  deskLabel: string,
  reference: Reference,
  at: string,
): FinalHandoff {
  const summary = failureSummary(failure, deskLabel, reference);
  return { status: "failed", ...failure, summary, at };
}

/** Returns the handoff without the fields that are only stored. */
export function toPublicHandoff(handoff: StoredHandoff): Handoff {
  return handoff.status === "pending" ? { status: "pending", since: handoff.since } : handoff;
}

/** Formats milliseconds since the epoch as a {@linkcode Timestamp}. */
export function toTimestamp(now: number): string {
  return new Date(now).toISOString();
}
