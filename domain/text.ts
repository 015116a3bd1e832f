import { z } from "zod";

const CONTROL = /[\p{Cc}\u2028\u2029]/u;
const CONTROL_EXCEPT_LINE_BREAKS = /(?!\r?\n)[\p{Cc}\u2028\u2029]/u;

/** A JSON string counts characters, not UTF-16 units (RFC 8259, JSON Schema `maxLength`). */
function characters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function bounded(text: z.ZodString, max: number, control: RegExp, message: string): z.ZodString {
  return text.superRefine((value, context) => {
    // UTF-16 units are never fewer than characters: only a longer text needs counting.
    if (value.length > max && characters(value) > max) {
      context.addIssue(`must be at most ${max} characters`);
    }
    if (!value.isWellFormed()) {
      context.addIssue("must be well-formed Unicode: it has half of a surrogate pair");
    } else if (control.test(value)) {
      context.addIssue(message);
    }
  }).meta({ maxLength: max });
}

const ONE_LINE = "must be one line without control characters";
const LINE_BREAKS_ONLY =
  "must have no control characters except line breaks (a tab is one: send spaces)";

/** One line of trimmed text, 1 to `max` characters, well-formed and without control characters. */
export function requiredLine(max: number): z.ZodString {
  return bounded(z.string().trim().min(1, "must not be empty"), max, CONTROL, ONE_LINE)
    .meta({ minLength: 1, maxLength: max });
}

/** One line of text of at most `max` characters, kept as it was sent. */
export function line(max: number): z.ZodString {
  return bounded(z.string(), max, CONTROL, ONE_LINE);
}

/** Text of at most `max` characters in which line breaks are the only control characters. */
export function lines(max: number): z.ZodString {
  return bounded(z.string(), max, CONTROL_EXCEPT_LINE_BREAKS, LINE_BREAKS_ONLY);
}
