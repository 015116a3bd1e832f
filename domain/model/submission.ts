import * as z from "zod";
import { Diagnostics } from "./diagnostics.ts";
import { Email } from "./email.ts";
import {
  isBlank,
  optional,
  optionalMultiLine,
  optionalSingleLine,
  requiredSingleLine,
  singleLine,
} from "./text.ts";

export const Severity = z.enum(["low", "normal", "high", "critical"]);
export type Severity = z.infer<typeof Severity>;

/** Whom to contact about the request. Absent if it has neither a name nor an email address. */
export const Contact = z.strictObject({ name: optionalSingleLine(120), email: Email })
  .transform((contact) => {
    const present = withoutAbsent(contact);
    return Object.keys(present).length === 0 ? undefined : present;
  });
export type Contact = NonNullable<z.infer<typeof Contact>>;

export const HANDOFF_MODES = ["none", "create", "link"] as const;
export type HandoffMode = typeof HANDOFF_MODES[number];

/** What to do with the request at the desk. */
export const HandoffChoice = z.discriminatedUnion("mode", [
  z.strictObject({ mode: z.literal("none") }),
  z.strictObject({ mode: z.literal("create") }),
  z.strictObject({ mode: z.literal("link"), ticket: singleLine(2000) }),
]);
export type HandoffChoice = z.infer<typeof HandoffChoice>;

/** Accepts a blank ticket in every mode but `link`: a form may send its empty ticket field. */
const Handoff: z.ZodType<HandoffChoice, z.input<typeof HandoffChoice>> = z.preprocess(
  withoutBlankTicket,
  HandoffChoice,
) as never;

/**
 * The body of a submission, cleaned. Text that a person types is rejected if it is too long,
 * because the client still has it; what a program collects is truncated. Unknown fields are
 * rejected, so that a misspelled field name never loses user input. Absent fields have no key.
 */
export const Submission = z.strictObject({
  summary: requiredSingleLine(200),
  description: optionalMultiLine(8000),
  severity: optional(Severity).transform((severity) => severity ?? "normal"),
  contact: optional(Contact),
  diagnostics: optional(Diagnostics),
  handoff: optional(Handoff).transform((choice): HandoffChoice => choice ?? { mode: "none" }),
}).transform(withoutAbsent);
export type Submission = z.infer<typeof Submission>;

function withoutAbsent<Fields extends object>(fields: Fields): Fields {
  if (!Object.values(fields).includes(undefined)) return fields;
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Fields;
}

function withoutBlankTicket(choice: unknown): unknown {
  if (typeof choice !== "object" || choice === null || !("ticket" in choice)) return choice;
  const { ticket, ...others } = choice;
  const isLink = "mode" in choice && choice.mode === "link";
  return isBlank(ticket) && !isLink ? others : choice;
}
