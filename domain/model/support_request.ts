import * as z from "zod";
import { SupportContext } from "./context.ts";
import { StoredHandoff, Timestamp } from "./handoff.ts";
import { Reference } from "./reference.ts";
import { Severity } from "./submission.ts";
import { exactSingleLine } from "./text.ts";

/** Who calls, from the verified token. */
export const Actor = z.object({
  id: exactSingleLine(255).min(1),
  name: exactSingleLine(120).optional(),
});
export type Actor = z.infer<typeof Actor>;

/** The stored record: the source of truth. Only its `handoff` ever changes, and only once. */
export const SupportRequest = z.object({
  schema: z.literal(1),
  reference: Reference,
  context: SupportContext,
  summary: z.string(),
  description: z.string().optional(),
  severity: Severity,
  // Not validated again: rules may change, and stored records must stay readable.
  contact: z.object({ name: z.string().optional(), email: z.string().optional() }).optional(),
  diagnostics: z.record(z.string(), z.string()).optional(),
  createdAt: Timestamp,
  createdBy: Actor,
  /**
   * The verified email address of `createdBy`, for the desk only: no response, log or audit event
   * has it.
   */
  requestorEmail: z.string().optional(),
  handoff: StoredHandoff,
});
export type SupportRequest = z.infer<typeof SupportRequest>;
