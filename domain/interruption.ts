import { failureSummary } from "./failure.ts";
import { type Handoff, timestamp } from "./handoff.ts";
import type { SupportRequest } from "./support_request.ts";

/** How far the clocks of several machines may be apart. */
export const SKEW_MS = 5_000;
/**
 * How long after its beginning a handoff may still turn to the desk: what a slow store has taken
 * before.
 */
export const PATIENCE_MS = 5_000;
/**
 * How long after its beginning and the desk's time a pending handoff is believed to be alive: by
 * then it does not ask the desk any more, whatever a slow store took and another clock says.
 */
export const GRACE_MS = PATIENCE_MS + SKEW_MS;

/** When a handoff that is pending since `since` must have been settled, in milliseconds. */
function overdueAt(since: string, deskTimeoutMs: number): number {
  return Date.parse(since) + deskTimeoutMs + GRACE_MS;
}

/** Whether the process that was handing the request off must have died before finalization. */
export function isInterrupted(handoff: Handoff, now: number, deskTimeoutMs: number): boolean {
  return handoff.status === "pending" && now > overdueAt(handoff.since, deskTimeoutMs);
}

/** The request as a reader sees it: an interrupted handoff has failed, though nothing says so. */
export function asRead(
  request: SupportRequest,
  now: number,
  deskTimeoutMs: number,
): SupportRequest {
  const { handoff } = request;
  if (handoff.status !== "pending" || !isInterrupted(handoff, now, deskTimeoutMs)) return request;
  const failure = { reason: "interrupted", ticketMayExist: true } as const;
  return {
    ...request,
    handoff: {
      status: "failed",
      ...failure,
      summary: failureSummary(failure, "the desk", request.reference),
      // Not the reader's clock: an interrupted request reads the same every time.
      at: timestamp(overdueAt(handoff.since, deskTimeoutMs)),
    },
  };
}
