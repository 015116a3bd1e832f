import * as z from "zod";
import { AuditEvent, Erasure } from "../../domain/model/audit.ts";
import { Handoff, toPublicHandoff } from "../../domain/model/handoff.ts";
import type { ContextSummary as LatestSummary } from "../../domain/get_latest.ts";
import { HANDOFF_MODES } from "../../domain/model/submission.ts";
import { SupportRequest as SupportRequestRecord } from "../../domain/model/support_request.ts";

/** A support request as the API returns it, without the fields that only support agents see. */
export const SupportRequest = SupportRequestRecord.pick({
  reference: true,
  context: true,
  summary: true,
  severity: true,
  createdAt: true,
  createdBy: true,
}).extend({ handoff: Handoff });
export type SupportRequest = z.infer<typeof SupportRequest>;

/** Everything that the panel needs when it opens. */
export const ContextSummary = z.object({
  desk: z.object({ label: z.string() }).nullable(),
  handoffModes: z.array(z.enum(HANDOFF_MODES)),
  supportRequest: SupportRequest.nullable(),
});
export type ContextSummary = z.infer<typeof ContextSummary>;

/** One page of audit events. */
export const AuditEvents = z.object({
  events: z.array(AuditEvent),
  /** On the first page, if there are any: what operators have erased of this tenant. */
  erasures: z.array(Erasure).optional(),
  nextCursor: z.string().nullable(),
});
export type AuditEvents = z.infer<typeof AuditEvents>;

/** Returns the request as the API shows it. */
export function toResponse(request: SupportRequestRecord): SupportRequest {
  const { reference, context, summary, severity, createdAt, createdBy } = request;
  const handoff = toPublicHandoff(request.handoff);
  return { reference, context, summary, severity, createdAt, createdBy, handoff };
}

/** Returns the context summary as the API shows it. */
export function toSummaryResponse(summary: LatestSummary): ContextSummary {
  const { desk, handoffModes, supportRequest } = summary;
  return {
    desk,
    handoffModes: [...handoffModes],
    supportRequest: supportRequest && toResponse(supportRequest),
  };
}
