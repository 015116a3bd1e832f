import type { Dependencies } from "../dependencies.ts";
import type { SupportRequest } from "../model/support_request.ts";
import type { Desk, DeskCalls } from "../ports/desk.ts";
import { createTicket } from "./create_ticket.ts";
import type { HandoffOutcome } from "./outcome.ts";

/** Makes the desk calls of one handoff, all of which share `signal`. */
export type DeskWork = (
  calls: DeskCalls,
  request: SupportRequest,
  signal: AbortSignal,
) => Promise<HandoffOutcome>;

/**
 * The share of the desk timeout that a handoff may wait for admission. The rest is for the desk: a
 * creation that is sent with a few milliseconds left times out at a healthy desk, and turns a clear
 * "nothing was sent" into "a ticket may exist". Of five seconds, one remains: Request Tracker takes
 * 250 ms to check a token alone.
 */
const MAX_QUEUEING_SHARE = 0.8;

/**
 * Waits for admission to the desk, then calls it: all within the desk timeout. `resume` makes the
 * calls of an interrupted handoff; by default a ticket is created.
 */
export async function callDesk(
  { clock, deskTimeoutMs }: Pick<Dependencies, "clock" | "deskTimeoutMs">,
  desk: Desk,
  request: SupportRequest,
  resume?: DeskWork,
): Promise<HandoffOutcome> {
  using signal = clock.deadline(deskTimeoutMs);
  const deadline = clock.elapsed() + deskTimeoutMs;
  // When a paused process continues, the timer of the admission may fire before that of the signal.
  const hasTimedOut = () => signal.aborted || clock.elapsed() >= deadline;
  const work = resume ?? createTicket;
  const admission = await desk.admit<HandoffOutcome | null>(
    deskTimeoutMs * MAX_QUEUEING_SHARE,
    async (calls) => hasTimedOut() ? null : await work(calls, request, signal),
  );
  if (admission.outcome === "admitted" && admission.result !== null) return admission.result;
  const reason = "desk_unavailable";
  // This attempt sent nothing, but the outcome of what an interrupted handoff sent is still unclear.
  // And a paused process cannot report "no ticket" after its deadline, because another process may
  // have resumed the handoff in the meantime.
  return resume !== undefined || hasTimedOut()
    ? { outcome: "unknown", reason }
    : { outcome: "failed", failure: { reason, ticketMayExist: false } };
}
