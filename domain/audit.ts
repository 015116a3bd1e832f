import { z } from "zod";
import { Context } from "./context.ts";
import { Handoff, publicHandoff, type StoredHandoff, Timestamp } from "./handoff.ts";
import { Reference } from "./reference.ts";
import { Actor, type SupportRequest } from "./support_request.ts";

export const AuditEventName = z.enum([
  "request.submitted",
  "handoff.created",
  "handoff.failed",
  "handoff.superseded",
]);
export type AuditEventName = z.infer<typeof AuditEventName>;

/** One change of one support request: who, when, and what its handoff was from then on. */
export const AuditEvent = z.object({
  event: AuditEventName,
  at: Timestamp,
  reference: Reference,
  context: Context,
  actor: Actor,
  handoff: Handoff,
});
export type AuditEvent = z.infer<typeof AuditEvent>;

/**
 * Returns the event `name` about `request`, caused by `actor`, with the handoff that the request
 * has from then on, or that was superseded.
 */
export function auditEvent(
  name: AuditEventName,
  { reference, context }: SupportRequest,
  actor: Actor,
  handoff: StoredHandoff,
  at: string,
): AuditEvent {
  return { event: name, at, reference, context, actor, handoff: publicHandoff(handoff) };
}
