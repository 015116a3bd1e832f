import type { Dependencies } from "../dependencies.ts";
import type { Actor, SupportRequest } from "../model/support_request.ts";
import type { Log, LogFields } from "../ports/log.ts";
import type { StoredRequest } from "../ports/store.ts";
import { callDesk, type DeskWork } from "./call_desk.ts";
import { finalize } from "./finalize.ts";
import { type HandoffOutcome, outcomeReason, toFinalHandoff } from "./outcome.ts";
import { MAX_START_DELAY_MS } from "./timeouts.ts";

export interface RunHandoffOptions {
  /** When the submission arrived, or the resume started, by `clock.elapsed`. */
  startedAt: number;
  fields: LogFields;
  /** The caller, whom the audit event records. Defaults to the submitter of the request. */
  actor?: Actor;
  /** Makes the desk calls of an interrupted handoff. By default a ticket is created. */
  resume?: DeskWork;
}

/**
 * Hands a pending request off: calls the desk and records the outcome. Returns the request as
 * stored afterwards. If storing it took too long, the desk is not called, and the request stays
 * pending until it is resumed.
 */
export async function runHandoff(
  deps: Dependencies,
  stored: StoredRequest,
  { startedAt, fields, actor = stored.request.createdBy, resume }: RunHandoffOptions,
): Promise<SupportRequest> {
  const { desk, clock, log, telemetry } = deps;
  const { request } = stored;
  if (desk === null) return request;
  const calledAt = clock.elapsed();
  if (calledAt - startedAt > MAX_START_DELAY_MS) {
    log.warn(
      "handoff_left_pending",
      "Handoff left pending: storing the request took so long that the desk was not called",
      { ...fields, reason: "store_slow" },
    );
    return request;
  }
  const outcome = await telemetry.withSpan(
    "desk.handoff",
    () => callDesk(deps, desk, request, resume),
    (outcome) => ({ outcome: outcomeReason(outcome), phase: outcome.trace?.phase }),
  );
  logOutcome(log, outcome, { ...fields, deskMs: Math.round(clock.elapsed() - calledAt) });
  if (outcome.outcome === "unknown") return request;
  const handoff = toFinalHandoff(outcome, request, desk.label, clock.now());
  return await finalize(deps, stored, handoff, { actor, fields });
}

function logOutcome(log: Log, outcome: HandoffOutcome, fields: LogFields): void {
  switch (outcome.outcome) {
    case "created":
      return log.info("handoff_created", "Handoff succeeded", {
        ...fields,
        ...outcome.trace,
        ticket: outcome.ticket.reference,
      });
    case "failed":
      return log.warn("handoff_failed", "Handoff failed", withReason(outcome, fields));
    case "unknown":
      return log.warn(
        "handoff_left_pending",
        "Handoff left pending: its outcome is still unknown",
        withReason(outcome, fields),
      );
  }
}

function withReason(outcome: HandoffOutcome, fields: LogFields): LogFields {
  return { ...fields, reason: outcomeReason(outcome), ...outcome.trace };
}
