import { failureSummary } from "../model/failure.ts";
import { type StoredHandoff, toTimestamp } from "../model/handoff.ts";
import type { SupportRequest } from "../model/support_request.ts";

/** How far the clocks of several machines may be apart. */
export const MAX_CLOCK_SKEW_MS = 5_000;
/**
 * The start delay: how long after its beginning a handoff may still turn to the desk, which is what
 * a slow store has taken before.
 */
export const MAX_START_DELAY_MS = 5_000;
/**
 * How long after its beginning and the desk's time a pending handoff is believed to be alive: by
 * then it does not call the desk any more, whatever a slow store took and another clock says.
 */
export const RESUME_GRACE_MS = MAX_START_DELAY_MS + MAX_CLOCK_SKEW_MS;

/** The longest desk timeout that a configuration could have when records had no `until`. */
const MAX_DESK_TIMEOUT_MS = 5_000;

type Pending = Extract<StoredHandoff, { status: "pending" }>;

/**
 * Returns when a handoff that starts at `since` is over for certain, by every clock: the desk
 * timeout of the process that starts it, its start delay and the clock skew later. In milliseconds
 * since the epoch. The process stores it, because no other process knows that desk timeout.
 */
export function handoffDeadline(since: number, deskTimeoutMs: number): number {
  return since + deskTimeoutMs + RESUME_GRACE_MS;
}

/**
 * Returns when a pending handoff is over for certain, in milliseconds since the epoch: the stored
 * `until` alone decides, never the reader's configuration. A record of version 1 has none, and its
 * writer may have had any desk timeout, so the longest is assumed.
 */
export function deadlineOf({ since, until }: Pending): number {
  return until === undefined
    ? handoffDeadline(Date.parse(since), MAX_DESK_TIMEOUT_MS)
    : Date.parse(until);
}

/** Whether the process that was handing the request off must have died before finalization. */
export function isInterrupted(handoff: StoredHandoff, now: number): boolean {
  return handoff.status === "pending" && now > deadlineOf(handoff);
}

/** Returns the request as a reader sees it: an interrupted handoff has failed, though nothing says so. */
export function withInterruption(request: SupportRequest, now: number): SupportRequest {
  const { handoff } = request;
  if (handoff.status !== "pending" || !isInterrupted(handoff, now)) return request;
  const failure = { reason: "interrupted", ticketMayExist: true } as const;
  return {
    ...request,
    handoff: {
      status: "failed",
      ...failure,
      summary: failureSummary(failure, "the desk", request.reference),
      // Not the reader's clock: an interrupted request reads the same every time.
      at: toTimestamp(deadlineOf(handoff)),
    },
  };
}
