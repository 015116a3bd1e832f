import * as z from "zod";
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

/** One change to a support request: who made it, when, and the resulting state of the handoff. */
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
 * Returns the audit event `name` for a change to `request` by `actor`. `handoff` is the new state
 * or, for `handoff.superseded`, the outcome that was not recorded.
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
 * What one erasure deleted. It identifies nobody: even a hash of the person's id would be personal
 * data. Not an {@linkcode AuditEvent}, because it does not concern one support request.
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
  /** Audit events of other people's requests from which the actor's id and name were removed. */
  anonymizedAuditEvents: z.int(),
});
export type Erasure = z.infer<typeof Erasure>;
