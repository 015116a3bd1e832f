import type { Deskhand } from "../dependencies.ts";
import { warnOfNewerRecord } from "../newer_record.ts";
import { type LogFields, type Settled, type Stored, StoreUnavailable } from "../ports.ts";
import type { Actor, SupportRequest } from "../model/support_request.ts";

/** For how long a finalization that the store refuses is tried again. */
const PERSISTENCE_MS = 2_000;
const FIRST_PAUSE_MS = 50;

/**
 * Settles a pending handoff, once. Returns the request as it is stored then: with `handoff`, with
 * what another attempt settled before, or still pending where the store refuses to the end.
 * `actor` is who called, whom the audit names.
 */
export async function finalize(
  deskhand: Deskhand,
  stored: Stored,
  handoff: Settled,
  actor: Actor,
  fields: LogFields,
): Promise<SupportRequest> {
  try {
    if (await persist(deskhand, stored, handoff, actor)) return { ...stored.request, handoff };
    return await yieldTo(deskhand, stored, handoff, actor, fields);
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    const ticket = handoff.status === "created" ? handoff.ticket.reference : undefined;
    deskhand.log.error("Cannot finalize the handoff: the store refuses it", {
      ...fields,
      ...ticket !== undefined && { ticket },
      error: error.message,
    });
    return stored.request;
  }
}

async function persist(
  { store, clock }: Deskhand,
  stored: Stored,
  handoff: Settled,
  actor: Actor,
): Promise<boolean> {
  const giveUp = clock.elapsed() + PERSISTENCE_MS;
  for (let pause = FIRST_PAUSE_MS;; pause *= 2) {
    try {
      return await store.finalize(stored, handoff, actor);
    } catch (error) {
      const isLast = clock.elapsed() + pause > giveUp;
      if (isLast || !(error instanceof StoreUnavailable)) throw error;
      await clock.wait(pause);
    }
  }
}

/** Another attempt has settled the request: what it stored stands, and our ticket is audited. */
async function yieldTo(
  { store, log }: Deskhand,
  stored: Stored,
  handoff: Settled,
  actor: Actor,
  fields: LogFields,
): Promise<SupportRequest> {
  const current = await store.reread(stored);
  const request = current?.request ?? stored.request;
  if (current?.isNewer) warnOfNewerRecord(log, fields);
  if (handoff.status !== "created" || hasTicket(request, handoff.ticket.reference)) return request;
  const ticket = handoff.ticket.reference;
  if (current?.isNewer) {
    log.error("Cannot audit a second ticket: a newer version wrote the record", {
      ...fields,
      event: "superseded_ticket_lost",
      ticket,
    });
    return request;
  }
  if (current === null) {
    // It was erased, or its retention is over: an audit event would name the person again.
    log.error("Cannot audit the ticket: its request was deleted meanwhile", {
      ...fields,
      event: "superseded_ticket_lost",
      ticket,
    });
    return request;
  }
  await store.supersede(current, handoff, actor);
  log.warn(
    "Another attempt had settled the request: its outcome stands, and this ticket is audited",
    { ...fields, event: "handoff_superseded", ticket },
  );
  return request;
}

function hasTicket({ handoff }: SupportRequest, reference: string): boolean {
  return "ticket" in handoff && handoff.ticket.reference === reference;
}
