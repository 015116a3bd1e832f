import type { Dependencies } from "../dependencies.ts";
import { warnOfNewerRecord } from "../newer_record.ts";
import type { FinalHandoff } from "../model/handoff.ts";
import { type StoredRequest, StoreUnavailableError } from "../ports/store.ts";
import type { LogFields } from "../ports/log.ts";
import type { Actor, SupportRequest } from "../model/support_request.ts";

/** For how long a finalization that the store refuses is tried again. */
const RETRY_BUDGET_MS = 2_000;
const INITIAL_BACKOFF_MS = 50;

/**
 * Settles a pending handoff, once. Returns the request as it is stored then: with `handoff`, with
 * what another attempt settled before, or still pending where the store refuses to the end.
 * `actor` is who called, whom the audit names.
 */
export async function finalize(
  deps: Dependencies,
  stored: StoredRequest,
  handoff: FinalHandoff,
  actor: Actor,
  fields: LogFields,
): Promise<SupportRequest> {
  try {
    if (await finalizeWithRetries(deps, stored, handoff, actor)) {
      return { ...stored.request, handoff };
    }
    return await deferToWinner(deps, stored, handoff, actor, fields);
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error;
    const ticket = handoff.status === "created" ? handoff.ticket.reference : undefined;
    deps.log.error(
      "outcome_not_recorded",
      "Cannot record the handoff outcome: the store is unavailable",
      {
        ...fields,
        ...ticket !== undefined && { ticket },
        error: error.message,
      },
    );
    return stored.request;
  }
}

async function finalizeWithRetries(
  { store, clock }: Dependencies,
  stored: StoredRequest,
  handoff: FinalHandoff,
  actor: Actor,
): Promise<boolean> {
  const giveUp = clock.elapsed() + RETRY_BUDGET_MS;
  for (let pause = INITIAL_BACKOFF_MS;; pause *= 2) {
    try {
      return await store.finalize(stored, handoff, actor);
    } catch (error) {
      const isLast = clock.elapsed() + pause > giveUp;
      if (isLast || !(error instanceof StoreUnavailableError)) throw error;
      await clock.wait(pause);
    }
  }
}

/** Another attempt has settled the request: what it stored stands, and our ticket is audited. */
async function deferToWinner(
  { store, log }: Dependencies,
  stored: StoredRequest,
  handoff: FinalHandoff,
  actor: Actor,
  fields: LogFields,
): Promise<SupportRequest> {
  const current = await store.reload(stored);
  const request = current?.request ?? stored.request;
  if (current?.isNewer) warnOfNewerRecord(log, fields);
  if (handoff.status !== "created" || hasTicket(request, handoff.ticket.reference)) return request;
  const ticket = handoff.ticket.reference;
  if (current?.isNewer) {
    log.error(
      "superseded_ticket_lost",
      "Cannot audit a second ticket: a newer version wrote the record",
      {
        ...fields,
        ticket,
      },
    );
    return request;
  }
  if (current === null) {
    // It was erased, or its retention is over: an audit event would name the person again.
    log.error(
      "superseded_ticket_lost",
      "Cannot audit the ticket: its request was deleted meanwhile",
      {
        ...fields,
        ticket,
      },
    );
    return request;
  }
  await store.recordSuperseded(current, handoff, actor);
  log.warn(
    "handoff_superseded",
    "Another attempt recorded its outcome first; this ticket is superseded",
    { ...fields, ticket },
  );
  return request;
}

function hasTicket({ handoff }: SupportRequest, reference: string): boolean {
  return "ticket" in handoff && handoff.ticket.reference === reference;
}
