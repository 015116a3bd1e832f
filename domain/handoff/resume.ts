import type { Dependencies } from "../dependencies.ts";
import { createTicket } from "./create_ticket.ts";
import {
  deadlineOf,
  handoffDeadline,
  isInterrupted,
  RESUME_GRACE_MS,
  withInterruption,
} from "./timeouts.ts";
import { warnOfNewerRecord } from "../newer_record.ts";
import type { LogFields } from "../ports/log.ts";
import type { StoredRequest } from "../ports/store.ts";
import { runHandoff } from "./run.ts";
import type { Actor, SupportRequest } from "../model/support_request.ts";

export type ResumeResult =
  /** The request as it is now: resumed if it was interrupted, unchanged otherwise. */
  | { outcome: "done"; request: SupportRequest }
  /** The handoff is in progress, here or in another process. */
  | { outcome: "in_progress"; retryAfterSeconds: number };

/**
 * Resumes the handoff of `stored` if it was interrupted. Any number of callers, in any number of
 * processes, create one ticket: the in-flight registry excludes those of this process, whatever
 * its clock says, and the lease those of others.
 *
 * @throws {StoreUnavailableError}
 */
export async function resume(
  deps: Dependencies,
  stored: StoredRequest,
  actor: Actor,
  { reference: _, ...fields }: LogFields,
): Promise<ResumeResult> {
  const { clock, log, inFlight } = deps;
  const { reference, handoff } = stored.request;
  const known = { ...fields, reference };
  if (stored.isNewer) {
    warnOfNewerRecord(log, known);
    return done(deps, stored.request);
  }
  if (handoff.status !== "pending") return done(deps, stored.request);
  const began = inFlight.startedAt(reference);
  if (began !== null) {
    const { deskTimeoutMs } = deps;
    return inProgress(began + deskTimeoutMs + RESUME_GRACE_MS - clock.elapsed());
  }
  if (!isInterrupted(handoff, clock.now())) return inProgress(deadlineOf(handoff) - clock.now());
  return await inFlight.run(
    reference,
    clock.elapsed(),
    () => resumeUnderLease(deps, stored, actor, known),
  );
}

function done({ clock }: Dependencies, request: SupportRequest): ResumeResult {
  return { outcome: "done", request: withInterruption(request, clock.now()) };
}

/** `leftMs` is the time until the handoff is over for certain. */
function inProgress(leftMs: number): ResumeResult {
  return { outcome: "in_progress", retryAfterSeconds: Math.max(1, Math.ceil(leftMs / 1000)) };
}

/** Searches for the ticket, and creates one only if it is clearly absent. */
async function resumeUnderLease(
  deps: Dependencies,
  stored: StoredRequest,
  actor: Actor,
  fields: LogFields,
): Promise<ResumeResult> {
  const { store, clock, deskTimeoutMs } = deps;
  const began = clock.elapsed();
  const until = handoffDeadline(clock.now(), deskTimeoutMs);
  const attempt = await store.acquireLease(stored.request.reference, until);
  if (attempt.outcome === "held") return inProgress(attempt.until - clock.now());
  /** Whether the desk may still be working on a creation of which no outcome is stored. */
  let mayBeAtDesk = false;
  try {
    // The last holder of the lease may have finalized the request since it was read.
    const current = await store.reload(stored);
    // It was erased, or its retention is over: nothing of it is sent to the desk any more.
    if (current === null) return done(deps, stored.request);
    if (current.isNewer) {
      warnOfNewerRecord(deps.log, fields);
      return done(deps, current.request);
    }
    if (current.request.handoff.status !== "pending") return done(deps, current.request);
    const request = await runHandoff(deps, current, began, fields, async (calls, signal) => {
      const lookup = await calls.findTicket(current.request, signal);
      if (lookup.outcome === "found") return { outcome: "created", ticket: lookup.ticket };
      if (lookup.outcome === "unclear" || signal.aborted) return null;
      const outcome = await createTicket(calls, current.request, signal);
      if (outcome.outcome === "created") return outcome;
      mayBeAtDesk = outcome.failure.ticketMayExist;
      // A failed creation speaks only for itself: the desk may still be working on what the
      // interrupted handoff sent.
      return { ...outcome, failure: { ...outcome.failure, ticketMayExist: true } };
    }, actor);
    if (request.handoff.status !== "pending") mayBeAtDesk = false;
    return done(deps, request);
  } finally {
    // A lease that cannot be released ends by itself. So must one whose creation may not have
    // ended: the next search could be too early to find its ticket.
    if (!mayBeAtDesk) await store.releaseLease(attempt.lease).catch(() => {});
  }
}
