import { z } from "zod";
import { AuditEvent, Erasure } from "../../domain/model/audit.ts";
import { Handoff, toPublicHandoff } from "../../domain/model/handoff.ts";
import type { ContextSummary as Summary } from "../../domain/get_latest.ts";
import { HANDOFF_MODES } from "../../domain/model/submission.ts";
import { SupportRequest } from "../../domain/model/support_request.ts";

/** A support request on the wire: what was typed for the desk's people is not returned. */
export const SupportRequestResponse = SupportRequest.pick({
  reference: true,
  context: true,
  summary: true,
  severity: true,
  createdAt: true,
  createdBy: true,
}).extend({ handoff: Handoff });
export type SupportRequestResponse = z.infer<typeof SupportRequestResponse>;

/** All that a "Request support" slide-over needs when it opens. */
export const ContextSummaryResponse = z.object({
  desk: z.object({ label: z.string() }).nullable(),
  handoffModes: z.array(z.enum(HANDOFF_MODES)),
  supportRequest: SupportRequestResponse.nullable(),
});
export type ContextSummaryResponse = z.infer<typeof ContextSummaryResponse>;

export const AuditEventsResponse = z.object({
  events: z.array(AuditEvent),
  /** On the first page, if there were any: records of the tenant that an operator has deleted. */
  erasures: z.array(Erasure).optional(),
  nextCursor: z.string().nullable(),
});
export type AuditEventsResponse = z.infer<typeof AuditEventsResponse>;

export function toResponse(request: SupportRequest): SupportRequestResponse {
  const { reference, context, summary, severity, createdAt, createdBy } = request;
  const handoff = toPublicHandoff(request.handoff);
  return { reference, context, summary, severity, createdAt, createdBy, handoff };
}

export function toSummaryResponse(summary: Summary): ContextSummaryResponse {
  const { desk, handoffModes, supportRequest } = summary;
  return {
    desk,
    handoffModes: [...handoffModes],
    supportRequest: supportRequest && toResponse(supportRequest),
  };
}
