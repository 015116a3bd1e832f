import { z } from "zod";
import { type Failure, FailureReason } from "./failure.ts";

/** ISO 8601 in UTC, to the millisecond. */
export const Timestamp = z.iso.datetime({ precision: 3 });

/** A Request Tracker ticket number: digits that a JavaScript number holds exactly. */
export const TicketNumber = z.string().regex(/^[1-9][0-9]{0,14}$/);

/** The desk's own item. `url` is built from the configured desk's address, never taken from it. */
export const Ticket = z.object({ reference: TicketNumber, url: z.url() });
export type Ticket = z.infer<typeof Ticket>;

const None = z.object({ status: z.literal("none") });
const Pending = z.object({ status: z.literal("pending"), since: Timestamp });
const Created = z.object({ status: z.literal("created"), ticket: Ticket, at: Timestamp });
const Linked = z.object({ status: z.literal("linked"), ticket: Ticket, at: Timestamp });
const Failed = z.object({
  status: z.literal("failed"),
  reason: FailureReason,
  summary: z.string().max(200),
  ticketMayExist: z.boolean(),
  at: Timestamp,
});

/** What became of a support request at the desk, as the API and the audit show it. */
export const Handoff = z.discriminatedUnion("status", [None, Pending, Created, Linked, Failed]);
export type Handoff = z.infer<typeof Handoff>;

/**
 * A handoff as the record stores it. A pending one has its deadline: `until` is when it is over for
 * certain, computed once by the process that started it. Records of version 1 have none.
 */
export const StoredHandoff = z.discriminatedUnion("status", [
  None,
  Pending.extend({ until: Timestamp.optional() }),
  Created,
  Linked,
  Failed,
]);
export type StoredHandoff = z.infer<typeof StoredHandoff>;

/** A handoff in a final state that finalization can record. */
export type FinalHandoff = Extract<Handoff, { status: "created" | "failed" }>;

/** Returns the handoff without what only the record stores. */
export function toPublicHandoff(handoff: StoredHandoff): Handoff {
  return handoff.status === "pending" ? { status: "pending", since: handoff.since } : handoff;
}

/** Milliseconds since the epoch as a {@linkcode Timestamp}. */
export function toTimestamp(now: number): string {
  return new Date(now).toISOString();
}

/** What one attempt to hand a request off came to. */
export type DeskOutcome =
  | { outcome: "created"; ticket: Ticket }
  | { outcome: "failed"; failure: Failure };
