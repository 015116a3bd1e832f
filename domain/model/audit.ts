import { z } from "zod";
import { SupportContext } from "./context.ts";
import { Handoff, type StoredHandoff, Timestamp, toPublicHandoff } from "./handoff.ts";
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
  context: SupportContext,
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
  return { event: name, at, reference, context, actor, handoff: toPublicHandoff(handoff) };
}

/**
 * What one erasure has deleted. It names nobody: a hash of the person's id would be personal data,
 * too. It is no {@linkcode AuditEvent} because it is about no support request.
 */
export const Erasure = z.object({
  event: z.enum(["tenant.erased", "actor.erased"]),
  at: Timestamp,
  deleted: z.object({
    supportRequests: z.int(),
    auditEvents: z.int(),
    idempotencyKeys: z.int(),
    leases: z.int(),
    rateCounters: z.int(),
  }),
  /** Audit events of other people's requests that have lost the actor's id and name. */
  anonymizedAuditEvents: z.int(),
});
export type Erasure = z.infer<typeof Erasure>;
