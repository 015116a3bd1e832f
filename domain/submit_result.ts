import type { SupportContext } from "./model/context.ts";
import type { Submission } from "./model/submission.ts";
import type { Actor, SupportRequest } from "./model/support_request.ts";

export interface SubmitCommand {
  context: SupportContext;
  actor: Actor;
  /** The actor's email address from the verified token, to which the desk may send mail. */
  requestorEmail?: string;
  submission: Submission;
  idempotencyKey?: string;
  requestId: string;
  /**
   * Called with the request while the store is writing it, so that its response can be prepared in time
   * that would be spent waiting. It may not be stored after all. Must not throw.
   */
  onStoring?(request: SupportRequest): void;
}

export type SubmitResult =
  | { outcome: "submitted"; request: SupportRequest; replayed: boolean }
  /** The ticket to link is not one of the configured desk. Nothing was stored. */
  | { outcome: "not_a_ticket" }
  /** The idempotency key was already used with another body or context. Nothing was stored. */
  | { outcome: "key_reused" }
  /** The handoff of the first submission with this key is still in progress. */
  | { outcome: "in_progress"; retryAfterSeconds: number };
