import { failureSummary } from "../model/failure.ts";
import { type DeskOutcome, type FinalHandoff, toTimestamp } from "../model/handoff.ts";
import type { Desk, DeskCalls } from "../ports/desk.ts";
import type { SupportRequest } from "../model/support_request.ts";

/**
 * Asks the desk for a ticket. Where one may exist and time is left, looks it up and adopts it.
 * Everything that is sent shares `signal`.
 */
export async function createTicket(
  desk: DeskCalls,
  request: SupportRequest,
  signal: AbortSignal,
): Promise<DeskOutcome> {
  const creation = await desk.createTicket(request, signal);
  if (creation.outcome === "created") return creation;
  const { failure, respondedByDesk } = creation;
  if (!failure.ticketMayExist || signal.aborted) return { outcome: "failed", failure };

  const lookup = await desk.findTicket(request, signal);
  if (lookup.outcome === "found") return { outcome: "created", ticket: lookup.ticket };
  // Absence proves something only once the desk has finished with the creation, and it has where
  // it answered with an error of its own. A proxy's error says nothing about the desk.
  const ticketMayExist = !(lookup.outcome === "absent" && respondedByDesk);
  return { outcome: "failed", failure: { ...failure, ticketMayExist } };
}

/** The settled handoff that an outcome comes to. */
export function toFinalHandoff(
  outcome: DeskOutcome,
  request: SupportRequest,
  { label }: Pick<Desk, "label">,
  now: number,
): FinalHandoff {
  const at = toTimestamp(now);
  if (outcome.outcome === "created") return { status: "created", ticket: outcome.ticket, at };
  const summary = failureSummary(outcome.failure, label, request.reference);
  return { status: "failed", ...outcome.failure, summary, at };
}
