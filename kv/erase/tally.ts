import * as z from "zod";
import type { Erasure } from "../../domain/model/audit.ts";

export type CountName = keyof Erasure["deleted"];

/** The counts of records that were found or deleted. */
export interface Tally extends Pick<Erasure, "deleted" | "anonymizedAuditEvents"> {
  /** The ticket numbers of the deleted requests. */
  tickets: Set<string>;
  /** The references of deleted requests that may have a ticket whose number is unknown. */
  doubtful: Set<string>;
  /** Number of records that do not parse, so that their owner is unknown. They are not deleted. */
  unreadable: number;
}

const HandoffTicket = z.object({
  status: z.string(),
  ticket: z.object({ reference: z.string() }).optional(),
  ticketMayExist: z.boolean().optional(),
});

/** Returns counts of zero. */
export function newTally(): Tally {
  return {
    deleted: {
      supportRequests: 0,
      auditEvents: 0,
      idempotencyKeys: 0,
      leases: 0,
      rateCounters: 0,
    },
    anonymizedAuditEvents: 0,
    tickets: new Set(),
    doubtful: new Set(),
    unreadable: 0,
  };
}

/** Adds a record to its count. */
export function add(tally: Tally, { kind }: { kind: CountName | "anonymized" }): void {
  if (kind === "anonymized") tally.anonymizedAuditEvents++;
  else tally.deleted[kind]++;
}

/** Adds the ticket of a deleted request. A handoff that does not parse may have one. */
export function addTicket(
  tally: Tally,
  { reference, handoff }: { reference: string; handoff: unknown },
): void {
  const known = HandoffTicket.safeParse(handoff).data;
  if (known?.ticket !== undefined) tally.tickets.add(known.ticket.reference);
  else if (known === undefined || known.ticketMayExist || known.status === "pending") {
    tally.doubtful.add(reference);
  }
}
