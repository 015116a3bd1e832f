import type { Dependencies } from "../dependencies.ts";
import type { FailureReason } from "../model/failure.ts";
import { finalize } from "./finalize.ts";
import { createTicket, toFinalHandoff } from "./create_ticket.ts";
import type { DeskOutcome } from "../model/handoff.ts";
import { MAX_START_DELAY_MS } from "./timeouts.ts";
import type { CallTrace, Desk, DeskCalls } from "../ports/desk.ts";
import type { LogFields } from "../ports/log.ts";
import type { StoredRequest } from "../ports/store.ts";
import type { Actor, SupportRequest } from "../model/support_request.ts";

/** One attempt at the desk; null where it must neither be written nor be believed. */
type Attempt = (calls: DeskCalls, signal: AbortSignal) => Promise<DeskOutcome | null>;

/** What an attempt came to: what is finalized, or null, and what logs and telemetry call it. */
interface AttemptResult {
  outcome: DeskOutcome | null;
  reason: FailureReason | "created" | "unclear";
  /** Where its first call that failed has ended. */
  trace?: CallTrace;
}

/**
 * The share of a handoff's time that it may wait for its turn at the desk. The rest is for the desk:
 * a creation that is sent with a few milliseconds left times out at a desk that is well, and turns a
 * clear "nothing was sent" into "a ticket may exist". Of five seconds one is left: Request Tracker
 * takes 250 ms for checking a token alone.
 */
const MAX_QUEUEING_SHARE = 0.8;

/**
 * Hands a pending request off and finalizes it. Returns the request as it is stored then.
 * `began` is when the submission arrived, or the lease was asked for, by `clock.elapsed`: if
 * that is long ago the desk is not called, and the request stays pending, to be resumed. `resume` makes
 * the calls for a handoff that was interrupted, within one deadline for all of them.
 * `actor` is who called, whom the audit of the finalization names: who submitted, unless another
 * resumes.
 */
export async function runHandoff(
  deps: Dependencies,
  stored: StoredRequest,
  began: number,
  fields: LogFields,
  resume?: Attempt,
  actor: Actor = stored.request.createdBy,
): Promise<SupportRequest> {
  const { desk, clock, log, telemetry } = deps;
  if (desk === null) return stored.request;
  const started = clock.elapsed();
  if (started - began > MAX_START_DELAY_MS) {
    log.warn(
      "handoff_left_pending",
      "Handoff left pending: storing the request took too long to still call the desk",
      {
        ...fields,
        reason: "store_slow",
      },
    );
    return stored.request;
  }
  const attempted = await telemetry.withSpan(
    "desk.handoff",
    () => attempt(deps, desk, stored.request, resume),
    ({ reason }) => reason,
  );
  const { outcome } = attempted;
  logAttempt(deps, attempted, { ...fields, deskMs: Math.round(clock.elapsed() - started) });
  if (outcome === null) return stored.request;
  const handoff = toFinalHandoff(outcome, stored.request, desk, clock.now());
  return await finalize(deps, stored, handoff, actor, fields);
}

async function attempt(
  { clock, deskTimeoutMs }: Dependencies,
  desk: Desk,
  request: SupportRequest,
  resume?: Attempt,
): Promise<AttemptResult> {
  const signal = clock.deadline(deskTimeoutMs);
  const end = clock.elapsed() + deskTimeoutMs;
  // When a process continues that was paused, a shorter timer than the signal's fires before it.
  const isOver = () => signal.aborted || clock.elapsed() >= end;
  let trace: CallTrace | undefined;
  const noting = (calls: DeskCalls): DeskCalls => ({
    async createTicket(request, signal) {
      const creation = await calls.createTicket(request, signal);
      if (creation.outcome === "failed") trace ??= creation.trace;
      return creation;
    },
    async findTicket(request, signal) {
      const lookup = await calls.findTicket(request, signal);
      if (lookup.outcome === "unclear") trace ??= lookup.trace;
      return lookup;
    },
  });
  const admission = await desk.admit<DeskOutcome | null | "late">(
    deskTimeoutMs * MAX_QUEUEING_SHARE,
    async (calls) => {
      if (isOver()) return "late";
      const noted = noting(calls);
      return await (resume ? resume(noted, signal) : createTicket(noted, request, signal));
    },
  );
  if (admission.outcome === "rejected" || admission.result === "late") {
    const reason = "desk_unavailable";
    // Nothing was sent now. What an interrupted handoff sent before is as unclear as it was.
    // A process that was paused while it waited may come back after others have resumed the handoff:
    // once its time is over, "no ticket" is not its own to say.
    if (resume !== undefined || isOver()) return { outcome: null, reason };
    return { outcome: { outcome: "failed", failure: { reason, ticketMayExist: false } }, reason };
  }
  const outcome = admission.result;
  if (outcome === null) return { outcome, reason: "unclear", trace };
  const reason = outcome.outcome === "created" ? "created" : outcome.failure.reason;
  return { outcome, reason, trace };
}

function logAttempt(
  { log }: Dependencies,
  { outcome, reason, trace }: AttemptResult,
  fields: LogFields,
): void {
  const named = { ...fields, reason, ...trace };
  if (outcome === null) {
    log.warn(
      "handoff_left_pending",
      "Handoff still interrupted: the desk gave no clear response",
      named,
    );
  } else if (outcome.outcome === "created") {
    const ticket = outcome.ticket.reference;
    log.info("handoff_created", "Handoff succeeded", { ...named, ticket });
  } else {
    log.warn("handoff_failed", "Handoff failed", named);
  }
}
