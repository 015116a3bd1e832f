import type { Deskhand } from "../dependencies.ts";
import type { FailureReason } from "../model/failure.ts";
import { finalize } from "./finalize.ts";
import { handOff, settled } from "./create_ticket.ts";
import type { DeskOutcome } from "./state.ts";
import { PATIENCE_MS } from "./timeouts.ts";
import type { CallTrace, Desk, DeskCalls, LogFields, Stored } from "../ports.ts";
import type { Actor, SupportRequest } from "../model/support_request.ts";

/** One attempt at the desk; null where it must neither be written nor be believed. */
type Attempt = (calls: DeskCalls, signal: AbortSignal) => Promise<DeskOutcome | null>;

/** What an attempt came to: what is finalized, or null, and what logs and telemetry call it. */
interface Attempted {
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
const WAITING_SHARE = 0.8;

/**
 * Hands a pending request off and finalizes it. Returns the request as it is stored then.
 * `began` is when the submission arrived, or the lease was asked for, by `clock.elapsed`: if
 * that is long ago the desk is not called, and the request stays pending, to be resumed. `resume` makes
 * the calls for a handoff that was interrupted, within one deadline for all of them.
 * `actor` is who called, whom the audit of the finalization names: who submitted, unless another
 * resumes.
 */
export async function settle(
  deskhand: Deskhand,
  stored: Stored,
  began: number,
  fields: LogFields,
  resume?: Attempt,
  actor: Actor = stored.request.createdBy,
): Promise<SupportRequest> {
  const { desk, clock, log, telemetry } = deskhand;
  if (desk === null) return stored.request;
  const started = clock.elapsed();
  if (started - began > PATIENCE_MS) {
    log.warn("Left the handoff pending: storing the request took too long to call the desk now", {
      ...fields,
      event: "handoff_left_pending",
      reason: "store_slow",
    });
    return stored.request;
  }
  const attempted = await telemetry.time(
    "desk.handoff",
    () => attempt(deskhand, desk, stored.request, resume),
    ({ reason }) => reason,
  );
  const { outcome } = attempted;
  logAttempt(deskhand, attempted, { ...fields, deskMs: Math.round(clock.elapsed() - started) });
  if (outcome === null) return stored.request;
  const handoff = settled(outcome, stored.request, desk, clock.now());
  return await finalize(deskhand, stored, handoff, actor, fields);
}

async function attempt(
  { clock, deskTimeoutMs }: Deskhand,
  desk: Desk,
  request: SupportRequest,
  resume?: Attempt,
): Promise<Attempted> {
  const signal = clock.deadline(deskTimeoutMs);
  const end = clock.elapsed() + deskTimeoutMs;
  // When a process continues that was paused, a shorter timer than the signal's fires before it.
  const isOver = () => signal.aborted || clock.elapsed() >= end;
  let trace: CallTrace | undefined;
  const noting = (calls: DeskCalls): DeskCalls => ({
    async create(request, signal) {
      const creation = await calls.create(request, signal);
      if (creation.outcome === "failed") trace ??= creation.trace;
      return creation;
    },
    async find(request, signal) {
      const lookup = await calls.find(request, signal);
      if (lookup.outcome === "unclear") trace ??= lookup.trace;
      return lookup;
    },
  });
  const admission = await desk.admit<DeskOutcome | null | "late">(
    deskTimeoutMs * WAITING_SHARE,
    async (calls) => {
      if (isOver()) return "late";
      const noted = noting(calls);
      return await (resume ? resume(noted, signal) : handOff(noted, request, signal));
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
  { log }: Deskhand,
  { outcome, reason, trace }: Attempted,
  fields: LogFields,
): void {
  const named = { ...fields, reason, ...trace };
  if (outcome === null) {
    log.warn("Left the handoff interrupted: the desk gave no clear response", {
      ...named,
      event: "handoff_left_pending",
    });
  } else if (outcome.outcome === "created") {
    const ticket = outcome.ticket.reference;
    log.info("Handed the support request off", { ...named, event: "handoff_created", ticket });
  } else {
    log.warn("Could not hand the support request off", { ...named, event: "handoff_failed" });
  }
}
