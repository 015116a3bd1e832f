import type { Dependencies } from "../dependencies.ts";
import type { Actor, SupportRequest } from "../model/support_request.ts";
import { warnOfNewerRecord } from "../newer_record.ts";
import type { LogFields } from "../ports/log.ts";
import type { StoredRequest } from "../ports/store.ts";
import type { DeskWork } from "./call_desk.ts";
import { findOrCreateTicket } from "./create_ticket.ts";
import { runHandoff } from "./run.ts";
import {
  deadlineOf,
  handoffDeadline,
  isInterrupted,
  RESUME_GRACE_MS,
  withInterruption,
} from "./timeouts.ts";

export interface ResumeOptions {
  /** The caller, whom the audit event of the finalization records. */
  actor: Actor;
  fields: LogFields;
}

export type ResumeResult =
  /** The request as it is now: resumed if it was interrupted, unchanged otherwise. */
  | { outcome: "done"; request: SupportRequest }
  /** The handoff is in progress, here or in another process. */
  | { outcome: "in_progress"; retryAfterSeconds: number };

/**
 * Resumes the handoff of `stored` if it was interrupted. Any number of callers, in any number of
 * processes, create one ticket. The in-flight tracker excludes other callers in this process, even
 * if the clock jumps; the lease excludes those in other processes.
 *
 * @throws {StoreUnavailableError}
 */
export async function resume(
  deps: Dependencies,
  stored: StoredRequest,
  options: ResumeOptions,
): Promise<ResumeResult> {
  const { clock, log, inFlight, deskTimeoutMs } = deps;
  const { reference, handoff } = stored.request;
  const fields = { ...options.fields, reference };
  if (stored.isNewer) warnOfNewerRecord(log, fields);
  if (stored.isNewer || handoff.status !== "pending") return done(deps, stored.request);
  const startedAt = inFlight.startedAt(reference);
  if (startedAt !== null) {
    return inProgress(startedAt + deskTimeoutMs + RESUME_GRACE_MS - clock.elapsed());
  }
  if (!isInterrupted(handoff, clock.now())) return inProgress(deadlineOf(handoff) - clock.now());
  return await inFlight.run(
    reference,
    clock.elapsed(),
    () => resumeUnderLease(deps, stored, { ...options, fields }),
  );
}

function done({ clock }: Dependencies, request: SupportRequest): ResumeResult {
  return { outcome: "done", request: withInterruption(request, clock.now()) };
}

/** `remainingMs` is the time until the handoff's deadline. */
function inProgress(remainingMs: number): ResumeResult {
  return { outcome: "in_progress", retryAfterSeconds: Math.max(1, Math.ceil(remainingMs / 1000)) };
}

/** What a resume has sent to the desk. */
interface Sent {
  /** Whether the desk may still be processing a creation of which no outcome is recorded. */
  mayBeAtDesk: boolean;
}

async function resumeUnderLease(
  deps: Dependencies,
  stored: StoredRequest,
  options: ResumeOptions,
): Promise<ResumeResult> {
  const { store, clock, deskTimeoutMs } = deps;
  const startedAt = clock.elapsed();
  const until = handoffDeadline(clock.now(), deskTimeoutMs);
  const attempt = await store.acquireLease(stored.request.reference, until);
  if (attempt.outcome === "held") return inProgress(attempt.until - clock.now());
  const sent: Sent = { mayBeAtDesk: false };
  try {
    return done(deps, await runAgain(deps, stored, { ...options, startedAt, sent }));
  } finally {
    // The lease outlasts a creation that the desk may still be processing, because a search could
    // be too early to find its ticket. It then expires, as does one that cannot be released.
    if (!sent.mayBeAtDesk) await store.releaseLease(attempt.lease).catch(() => {});
  }
}

/** Runs the interrupted handoff again, unless the previous holder of the lease has finished it. */
async function runAgain(
  deps: Dependencies,
  stored: StoredRequest,
  { actor, fields, startedAt, sent }: ResumeOptions & { startedAt: number; sent: Sent },
): Promise<SupportRequest> {
  const current = await deps.store.reload(stored);
  // The request was erased or has expired: none of it may be sent to the desk any more.
  if (current === null) return stored.request;
  if (current.isNewer) warnOfNewerRecord(deps.log, fields);
  if (current.isNewer || current.request.handoff.status !== "pending") return current.request;
  const resume = findOrCreate(sent);
  const request = await runHandoff(deps, current, { startedAt, fields, actor, resume });
  if (request.handoff.status !== "pending") sent.mayBeAtDesk = false;
  return request;
}

function findOrCreate(sent: Sent): DeskWork {
  return async (calls, request, signal) => {
    const outcome = await findOrCreateTicket(calls, request, signal);
    if (outcome.outcome !== "failed") return outcome;
    sent.mayBeAtDesk = outcome.failure.ticketMayExist;
    // A failed creation says nothing about an earlier one: the desk may still be processing what
    // the interrupted handoff sent.
    return { ...outcome, failure: { ...outcome.failure, ticketMayExist: true } };
  };
}
