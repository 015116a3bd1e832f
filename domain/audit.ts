import { z } from "zod";
import { Context } from "./context.ts";
import { Handoff, Timestamp } from "./handoff.ts";
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

/** The event `name` about `request`, with the handoff that it has, or that was superseded. */
export function auditEvent(
  name: AuditEventName,
  request: SupportRequest,
  handoff: Handoff,
  at: string,
): AuditEvent {
  return {
    event: name,
    at,
    reference: request.reference,
    context: request.context,
    actor: request.createdBy,
    handoff,
  };
}
