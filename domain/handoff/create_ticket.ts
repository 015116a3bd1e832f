import type { SupportRequest } from "../model/support_request.ts";
import type { DeskCalls } from "../ports/desk.ts";
import type { HandoffOutcome, KnownOutcome } from "./outcome.ts";

/**
 * Creates a ticket. If the call fails but a ticket may exist, and time remains, looks the ticket up
 * and adopts it. All calls share `signal`.
 */
export async function createTicket(
  desk: DeskCalls,
  request: SupportRequest,
  signal: AbortSignal,
): Promise<KnownOutcome> {
  const creation = await desk.createTicket(request, signal);
  if (creation.outcome === "created") return creation;
  const { failure, respondedByDesk, trace } = creation;
  if (!failure.ticketMayExist || signal.aborted) return { outcome: "failed", failure, trace };

  const lookup = await desk.findTicket(request, signal);
  if (lookup.outcome === "found") return { outcome: "created", ticket: lookup.ticket, trace };
  if (lookup.outcome === "unclear") {
    return { outcome: "failed", failure, trace: trace ?? lookup.trace };
  }
  // An absent ticket proves something only once the desk has finished processing the creation: if
  // the error response came from the desk itself. A proxy's response says nothing about the desk.
  const ticketMayExist = !respondedByDesk;
  return { outcome: "failed", failure: { ...failure, ticketMayExist }, trace };
}

/**
 * Looks up the ticket of an interrupted handoff and adopts it. Creates one only if it is clearly
 * absent. All calls share `signal`.
 */
export async function findOrCreateTicket(
  desk: DeskCalls,
  request: SupportRequest,
  signal: AbortSignal,
): Promise<HandoffOutcome> {
  const lookup = await desk.findTicket(request, signal);
  if (lookup.outcome === "found") return { outcome: "created", ticket: lookup.ticket };
  if (lookup.outcome === "unclear" || signal.aborted) {
    const trace = lookup.outcome === "unclear" ? lookup.trace : undefined;
    return { outcome: "unknown", reason: "unclear", trace };
  }
  return await createTicket(desk, request, signal);
}
