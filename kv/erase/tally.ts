import { z } from "zod";
import type { Erasure } from "../../domain/model/audit.ts";

export type CountName = keyof Erasure["deleted"];

/** What was found, or deleted. */
export interface Tally extends Pick<Erasure, "deleted" | "anonymizedAuditEvents"> {
  /** Numbers of tickets that the deleted requests have at the desk. */
  tickets: Set<string>;
  /** References of deleted requests that may have a ticket of which no number is known. */
  doubtful: Set<string>;
  /** Records that cannot be read and therefore belong to nobody. They stay. */
  unreadable: number;
}

const StoredHandoff = z.object({
  status: z.string(),
  ticket: z.object({ reference: z.string() }).optional(),
  ticketMayExist: z.boolean().optional(),
});

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

/** Counts a record. */
export function add(tally: Tally, { kind }: { kind: CountName | "anonymized" }): void {
  if (kind === "anonymized") tally.anonymizedAuditEvents++;
  else tally.deleted[kind]++;
}

/** Notes the ticket that a deleted request has, or may have, as a handoff that cannot be read does. */
export function addTicket(
  tally: Tally,
  { reference, handoff }: { reference: string; handoff: unknown },
): void {
  const known = StoredHandoff.safeParse(handoff).data;
  if (known?.ticket !== undefined) tally.tickets.add(known.ticket.reference);
  else if (known === undefined || known.ticketMayExist || known.status === "pending") {
    tally.doubtful.add(reference);
  }
}
