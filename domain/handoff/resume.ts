import type { Context } from "../model/context.ts";
import type { Deskhand } from "../dependencies.ts";
import { handOff } from "./create_ticket.ts";
import { asRead, GRACE_MS, handoffDeadline, isInterrupted, pendingUntil } from "./timeouts.ts";
import { warnOfNewerRecord } from "../newer_record.ts";
import type { LogFields, Stored } from "../ports.ts";
import { settle } from "./run.ts";
import type { Actor, SupportRequest } from "../model/support_request.ts";

export interface ResumeCommand {
  context: Context;
  /** Who calls: the audit event of the finalization names them. */
  actor: Actor;
  requestId: string;
}

export type ResumeResult =
  /** The request as it is now: resumed if it was interrupted, unchanged otherwise. */
  | { outcome: "done"; request: SupportRequest }
  /** The handoff is in progress, here or in another process. */
  | { outcome: "in_progress"; retryAfterSeconds: number };

/**
 * Resumes the handoff of the latest request of a context if it was interrupted. It needs no
 * idempotency key, so an interrupted handoff does not depend on the client that submitted it.
 *
 * @throws {StoreUnavailable}
 */
export async function resumeLatest(
  deskhand: Deskhand,
  { context, actor, requestId }: ResumeCommand,
): Promise<ResumeResult | { outcome: "no_request" }> {
  const stored = await deskhand.store.latest(context);
  if (stored === null) return { outcome: "no_request" };
  return await resume(deskhand, stored, actor, { requestId, tenantId: context.tenantId });
}

/**
 * Resumes the handoff of `stored` if it was interrupted. Any number of callers, in any number of
 * processes, create one ticket: the in-flight registry excludes those of this process, whatever
 * its clock says, and the lease those of others.
 *
 * @throws {StoreUnavailable}
 */
export async function resume(
  deskhand: Deskhand,
  stored: Stored,
  actor: Actor,
  { reference: _, ...fields }: LogFields,
): Promise<ResumeResult> {
  const { clock, log, underWay } = deskhand;
  const { reference, handoff } = stored.request;
  const known = { ...fields, reference };
  if (stored.isNewer) {
    warnOfNewerRecord(log, known);
    return done(deskhand, stored.request);
  }
  if (handoff.status !== "pending") return done(deskhand, stored.request);
  const began = underWay.began(reference);
  if (began !== null) {
    const { deskTimeoutMs } = deskhand;
    return inProgress(began + deskTimeoutMs + GRACE_MS - clock.elapsed());
  }
  if (!isInterrupted(handoff, clock.now())) return inProgress(pendingUntil(handoff) - clock.now());
  return await underWay.run(
    reference,
    clock.elapsed(),
    () => resumeUnderLease(deskhand, stored, actor, known),
  );
}

function done({ clock }: Deskhand, request: SupportRequest): ResumeResult {
  return { outcome: "done", request: asRead(request, clock.now()) };
}

/** `leftMs` is the time until the handoff is over for certain. */
function inProgress(leftMs: number): ResumeResult {
  return { outcome: "in_progress", retryAfterSeconds: Math.max(1, Math.ceil(leftMs / 1000)) };
}

/** Searches for the ticket, and creates one only if it is clearly absent. */
async function resumeUnderLease(
  deskhand: Deskhand,
  stored: Stored,
  actor: Actor,
  fields: LogFields,
): Promise<ResumeResult> {
  const { store, clock, deskTimeoutMs } = deskhand;
  const began = clock.elapsed();
  const until = handoffDeadline(clock.now(), deskTimeoutMs);
  const attempt = await store.takeLease(stored.request.reference, until);
  if (attempt.outcome === "held") return inProgress(attempt.until - clock.now());
  /** Whether the desk may still be working on a creation of which no outcome is stored. */
  let mayBeAtDesk = false;
  try {
    // The last holder of the lease may have finalized the request since it was read.
    const current = await store.reread(stored);
    // It was erased, or its retention is over: nothing of it is sent to the desk any more.
    if (current === null) return done(deskhand, stored.request);
    if (current.isNewer) {
      warnOfNewerRecord(deskhand.log, fields);
      return done(deskhand, current.request);
    }
    if (current.request.handoff.status !== "pending") return done(deskhand, current.request);
    const request = await settle(deskhand, current, began, fields, async (calls, signal) => {
      const lookup = await calls.find(current.request, signal);
      if (lookup.outcome === "found") return { outcome: "created", ticket: lookup.ticket };
      if (lookup.outcome === "unclear" || signal.aborted) return null;
      const outcome = await handOff(calls, current.request, signal);
      if (outcome.outcome === "created") return outcome;
      mayBeAtDesk = outcome.failure.ticketMayExist;
      // A failed creation speaks only for itself: the desk may still be working on what the
      // interrupted handoff sent.
      return { ...outcome, failure: { ...outcome.failure, ticketMayExist: true } };
    }, actor);
    if (request.handoff.status !== "pending") mayBeAtDesk = false;
    return done(deskhand, request);
  } finally {
    // A lease that cannot be released ends by itself. So must one whose creation may not have
    // ended: the next search could be too early to find its ticket.
    if (!mayBeAtDesk) await store.releaseLease(attempt.lease).catch(() => {});
  }
}
