import { z } from "zod";
import { AuditEvent, Erasure } from "../../domain/model/audit.ts";
import { Handoff, publicHandoff } from "../../domain/handoff/state.ts";
import type { ContextSummary as Summary } from "../../domain/latest.ts";
import { HANDOFF_MODES } from "../../domain/model/submission.ts";
import { SupportRequest } from "../../domain/model/support_request.ts";

/** A support request on the wire: what was typed for the desk's people is not returned. */
export const SupportRequestAnswer = SupportRequest.pick({
  reference: true,
  context: true,
  summary: true,
  severity: true,
  createdAt: true,
  createdBy: true,
}).extend({ handoff: Handoff });
export type SupportRequestAnswer = z.infer<typeof SupportRequestAnswer>;

/** All that a "Request support" slide-over needs when it opens. */
export const ContextSummaryAnswer = z.object({
  desk: z.object({ label: z.string() }).nullable(),
  handoffModes: z.array(z.enum(HANDOFF_MODES)),
  supportRequest: SupportRequestAnswer.nullable(),
});
export type ContextSummaryAnswer = z.infer<typeof ContextSummaryAnswer>;

export const AuditEventsAnswer = z.object({
  events: z.array(AuditEvent),
  /** On the first page, if there were any: records of the tenant that an operator has deleted. */
  erasures: z.array(Erasure).optional(),
  nextCursor: z.string().nullable(),
});
export type AuditEventsAnswer = z.infer<typeof AuditEventsAnswer>;

export function toAnswer(request: SupportRequest): SupportRequestAnswer {
  const { reference, context, summary, severity, createdAt, createdBy } = request;
  const handoff = publicHandoff(request.handoff);
  return { reference, context, summary, severity, createdAt, createdBy, handoff };
}

export function toSummaryAnswer(summary: Summary): ContextSummaryAnswer {
  const { desk, handoffModes, supportRequest } = summary;
  return {
    desk,
    handoffModes: [...handoffModes],
    supportRequest: supportRequest && toAnswer(supportRequest),
  };
}
