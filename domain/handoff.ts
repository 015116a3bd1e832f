import { z } from "zod";
import { type Failure, FailureReason } from "./failure.ts";

/** ISO 8601 in UTC, to the millisecond. */
export const Timestamp = z.iso.datetime({ precision: 3 });

/** A Request Tracker ticket number: digits that a JavaScript number holds exactly. */
export const TicketReference = z.string().regex(/^[1-9][0-9]{0,14}$/);

/** The desk's own item. `url` is built from the configured desk's address, never taken from it. */
export const Ticket = z.object({ reference: TicketReference, url: z.url() });
export type Ticket = z.infer<typeof Ticket>;

/** What became of a support request at the desk. */
export const Handoff = z.discriminatedUnion("status", [
  z.object({ status: z.literal("none") }),
  z.object({ status: z.literal("pending"), since: Timestamp }),
  z.object({ status: z.literal("created"), ticket: Ticket, at: Timestamp }),
  z.object({ status: z.literal("linked"), ticket: Ticket, at: Timestamp }),
  z.object({
    status: z.literal("failed"),
    reason: FailureReason,
    summary: z.string().max(200),
    ticketMayExist: z.boolean(),
    at: Timestamp,
  }),
]);
export type Handoff = z.infer<typeof Handoff>;

/** Milliseconds since the epoch as a {@linkcode Timestamp}. */
export function timestamp(now: number): string {
  return new Date(now).toISOString();
}

/** What one attempt to hand a request off came to. */
export type DeskOutcome =
  | { outcome: "created"; ticket: Ticket }
  | { outcome: "failed"; failure: Failure };
