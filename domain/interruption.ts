import { failureSummary } from "./failure.ts";
import { type Handoff, timestamp } from "./handoff.ts";
import type { SupportRequest } from "./support_request.ts";

/**
 * How long after the desk's time is up a pending handoff is believed to be alive: room for its
 * finalization and for clocks of several machines that disagree.
 */
const GRACE_MS = 10_000;

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
