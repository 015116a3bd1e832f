import { z } from "zod";
import { line, lines, requiredLine } from "./text.ts";

export const Severity = z.enum(["low", "normal", "high", "critical"]);
export type Severity = z.infer<typeof Severity>;

export const Contact = z.strictObject({
  name: line(120).optional(),
  email: z.email("must be an email address such as ada@example.com").max(254).optional(),
});
export type Contact = z.infer<typeof Contact>;

const MAX_DIAGNOSTICS = 20;

/**
 * What the product knows about the situation, for the desk's people. Its keys are kept as they
 * were sent: two that trimming made equal would lose one's value.
 */
export const Diagnostics = z.record(line(64).min(1, "must not be empty"), line(500))
  .refine(
    (diagnostics) => Object.keys(diagnostics).length <= MAX_DIAGNOSTICS,
    `must have at most ${MAX_DIAGNOSTICS} keys`,
  )
  .meta({ maxProperties: MAX_DIAGNOSTICS });
export type Diagnostics = z.infer<typeof Diagnostics>;

export const HANDOFF_MODES = ["none", "create", "link"] as const;
export type HandoffMode = typeof HANDOFF_MODES[number];

/** What the person wants to become of the request at the desk. */
export const HandoffChoice = z.discriminatedUnion("mode", [
  z.strictObject({ mode: z.literal("none") }),
  z.strictObject({ mode: z.literal("create") }),
  z.strictObject({ mode: z.literal("link"), ticket: line(2000) }),
]);
export type HandoffChoice = z.infer<typeof HandoffChoice>;

/** What a frontend sends. Unknown fields are refused, so that a typo never loses what was typed. */
export const Submission = z.strictObject({
  summary: requiredLine(200),
  description: lines(8000).optional(),
  severity: Severity.default("normal"),
  contact: Contact.optional(),
  diagnostics: Diagnostics.optional(),
  handoff: HandoffChoice.default({ mode: "none" }),
});
export type Submission = z.infer<typeof Submission>;
