import { z } from "zod";
import { SupportContext } from "./context.ts";
import { StoredHandoff, Timestamp } from "./handoff.ts";
import { Reference } from "./reference.ts";
import { Severity } from "./submission.ts";
import { exactSingleLine } from "./text.ts";

/** Who asks, from the verified token. */
export const Actor = z.object({
  id: exactSingleLine(255).min(1),
  name: exactSingleLine(120).optional(),
});
export type Actor = z.infer<typeof Actor>;

/** The record, and the only truth about a support request. Its `handoff` is settled once. */
export const SupportRequest = z.object({
  schema: z.literal(1),
  reference: Reference,
  context: SupportContext,
  summary: z.string(),
  description: z.string().optional(),
  severity: Severity,
  // As they were cleaned when they were stored: rules may change, and records must stay readable.
  contact: z.object({ name: z.string().optional(), email: z.string().optional() }).optional(),
  diagnostics: z.record(z.string(), z.string()).optional(),
  createdAt: Timestamp,
  createdBy: Actor,
  /** The verified email address of `createdBy`, for the desk alone: in no response, log or audit event. */
  requestorEmail: z.string().optional(),
  handoff: StoredHandoff,
});
export type SupportRequest = z.infer<typeof SupportRequest>;
