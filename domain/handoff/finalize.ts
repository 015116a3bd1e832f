import type { Dependencies } from "../dependencies.ts";
import type { FinalHandoff } from "../model/handoff.ts";
import type { Actor, SupportRequest } from "../model/support_request.ts";
import { warnOfNewerRecord } from "../newer_record.ts";
import type { LogFields } from "../ports/log.ts";
import { type StoredRequest, StoreUnavailableError } from "../ports/store.ts";

/** How long to retry while the store is unavailable. */
const RETRY_BUDGET_MS = 2_000;
const INITIAL_BACKOFF_MS = 50;

export interface FinalizeOptions {
  /** The caller, whom the audit event records. */
  actor: Actor;
  fields: LogFields;
}

/**
 * Records the outcome of a pending handoff; of several attempts, only the first succeeds. Returns
 * the request as stored afterwards: with `handoff`, with the outcome of an earlier attempt, or still
 * pending if the store stays unavailable.
 */
export async function finalize(
  deps: Dependencies,
  stored: StoredRequest,
  handoff: FinalHandoff,
  { actor, fields }: FinalizeOptions,
): Promise<SupportRequest> {
  try {
    if (await finalizeWithRetries(deps, stored, handoff, actor)) {
      return { ...stored.request, handoff };
    }
    return await deferToWinner(deps, stored, handoff, { actor, fields });
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error;
    const ticket = ticketOf(handoff);
    deps.log.error(
      "outcome_not_recorded",
      "Cannot record the handoff outcome: the store is unavailable",
      { ...fields, ...ticket !== null && { ticket }, error: error.message },
    );
    return stored.request;
  }
}

/** Returns whether the outcome was recorded. Retries for two seconds at most. */
async function finalizeWithRetries(
  { store, clock }: Dependencies,
  stored: StoredRequest,
  handoff: FinalHandoff,
  actor: Actor,
): Promise<boolean> {
  const deadline = clock.elapsed() + RETRY_BUDGET_MS;
  for (let backoffMs = INITIAL_BACKOFF_MS;; backoffMs *= 2) {
    try {
      return await store.finalize(stored, handoff, actor);
    } catch (error) {
      const isLast = clock.elapsed() + backoffMs > deadline;
      if (isLast || !(error instanceof StoreUnavailableError)) throw error;
      await clock.wait(backoffMs);
    }
  }
}

/**
 * Returns the request with the outcome that another attempt recorded first. If this attempt created a
 * different ticket, records it as superseded, or logs it if nothing may be written.
 */
async function deferToWinner(
  { store, log }: Dependencies,
  stored: StoredRequest,
  handoff: FinalHandoff,
  { actor, fields }: FinalizeOptions,
): Promise<SupportRequest> {
  const current = await store.reload(stored);
  if (current?.isNewer) warnOfNewerRecord(log, fields);
  const request = current?.request ?? stored.request;
  const ticket = ticketOf(handoff);
  if (ticket === null || ticket === ticketOf(request.handoff)) return request;
  if (current === null || current.isNewer) {
    // A deleted request must stay deleted: an audit event would name the person again.
    const cause = current === null ? "its request was deleted" : "a newer version wrote its record";
    log.error("superseded_ticket_lost", `Cannot audit this ticket: ${cause}`, {
      ...fields,
      ticket,
    });
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

function ticketOf(handoff: SupportRequest["handoff"]): string | null {
  return "ticket" in handoff ? handoff.ticket.reference : null;
}
