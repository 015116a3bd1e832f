import {
  failedHandoff,
  type PendingHandoff,
  type StoredHandoff,
  toTimestamp,
} from "../model/handoff.ts";
import type { SupportRequest } from "../model/support_request.ts";

/** How far the clocks of several machines may differ. */
export const MAX_CLOCK_SKEW_MS = 5_000;
/** How long after its start a handoff may still start to call the desk, if the store is slow. */
export const MAX_START_DELAY_MS = 5_000;
/**
 * How long past the desk timeout a pending handoff counts as in progress. After that it cannot be
 * calling the desk any more, even with the slowest store and the largest clock skew.
 */
export const RESUME_GRACE_MS = MAX_START_DELAY_MS + MAX_CLOCK_SKEW_MS;

/** The longest desk timeout that could be configured when records had no `until`. */
const MAX_DESK_TIMEOUT_MS = 5_000;

/**
 * Returns the deadline of a handoff that starts at `since`, in milliseconds since the epoch. By
 * then, the handoff has ended according to the clock of every process. The process that starts it
 * stores the deadline, because no other process knows its desk timeout.
 */
export function handoffDeadline(since: number, deskTimeoutMs: number): number {
  return since + deskTimeoutMs + RESUME_GRACE_MS;
}

/**
 * Returns the deadline of a pending handoff, in milliseconds since the epoch. The stored `until`
 * alone decides, never the reader's configuration. For a record of version 1, which has none, the
 * longest desk timeout is assumed.
 */
export function deadlineOf({ since, until }: PendingHandoff): number {
  return until === undefined
    ? handoffDeadline(Date.parse(since), MAX_DESK_TIMEOUT_MS)
    : Date.parse(until);
}

/**
 * Returns whether the process that ran the handoff must have died before it recorded the outcome.
 */
export function isInterrupted(handoff: StoredHandoff, now: number): boolean {
  return handoff.status === "pending" && now > deadlineOf(handoff);
}

/**
 * Returns the request as readers see it: an interrupted handoff is presented as failed, although
 * the record still says pending. Nothing is written.
 */
export function withInterruption(request: SupportRequest, now: number): SupportRequest {
  const { handoff } = request;
  if (handoff.status !== "pending" || !isInterrupted(handoff, now)) return request;
  const failure = { reason: "interrupted", ticketMayExist: true } as const;
  // Not the time of the read, so that every read of an interrupted request returns the same.
  const at = toTimestamp(deadlineOf(handoff));
  return { ...request, handoff: failedHandoff(failure, "the desk", request.reference, at) };
}
