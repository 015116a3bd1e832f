/**
 * Schemas and functions for text from people and programs. Text is cleaned rather than rejected,
 * because control characters in a pasted log must not cost anybody their support request. Lengths
 * are counted after cleaning, in code points, as JSON Schema's `maxLength` does.
 */
import * as z from "zod";

/**
 * Terminal colors and cursor movements (ECMA-48 control sequences), as copied logs contain them.
 * Only the forms that cannot consume a letter of the text: with a parameter, or `m` and `K`
 * without.
 */
// deno-lint-ignore no-control-regex
const TERMINAL_SEQUENCE = /\u001b\[(?:[\d:;?]+[A-Za-z]|[mK])/g;
const LINE_BREAK = /\r\n?|[\v\f\u0085\u2028\u2029]/g;
const BYTE_ORDER_MARKS = /^\ufeff+/;
const CONTROL = /[\p{Cc}\u2028\u2029]/u;
const UNREADABLE = /[^\P{Cc}\t\n]/gu;
/** Everything that {@linkcode cleanMultiLine} changes. Testing first takes a tenth of the time. */
const UNCLEAN = /[^\P{Cc}\t\n]|[\p{Cs}\u2028\u2029]|^\ufeff/u;
/** White space, control characters and unpaired surrogates. */
const BLANK_RUN = /[\s\p{Cc}\p{Cs}]+/gu;
/** Characters that cause the run of white space around them to become one space. */
const FOLDED = /[\p{Cc}\p{Cs}\u2028\u2029]/u;

/**
 * A visible character. Not visible are white space, control characters, unpaired surrogates,
 * characters without a shape (`Default_Ignorable_Code_Point`, such as U+200B) and the blank Braille
 * pattern.
 */
const VISIBLE = /[^\s\p{Cc}\p{Cs}\p{DI}\u2800]/u;

/** A schema for optional text. `null` counts as absent. */
type OptionalText = z.ZodOptional<z.ZodType<string | undefined, string | null>>;

const ELLIPSIS = "…";
const REPLACEMENT = "\ufffd";

/**
 * Returns `text` as one trimmed line. A run of white space that contains a line break, a tab or
 * another control character becomes one space, as does an unpaired surrogate (half an emoji that a
 * program has truncated). Text without a visible character becomes empty.
 */
export function cleanSingleLine(text: string): string {
  if (!FOLDED.test(text)) return VISIBLE.test(text) ? text.trim() : "";
  const cleaned = text.replace(TERMINAL_SEQUENCE, "")
    .replace(BLANK_RUN, (run) => FOLDED.test(run) ? " " : run)
    .trim();
  return VISIBLE.test(cleaned) ? cleaned : "";
}

/**
 * Returns `text` with its tabs and indentation, and with every kind of line break as `\n`. Terminal
 * colors are removed, because they are noise to a support agent. Every other control character and
 * every unpaired surrogate becomes U+FFFD, so that an agent sees that something was there: a NUL
 * may be the cause of the problem. Text without a visible character becomes empty.
 */
export function cleanMultiLine(text: string): string {
  if (!UNCLEAN.test(text)) return VISIBLE.test(text) ? text : "";
  const cleaned = text.toWellFormed()
    .replace(TERMINAL_SEQUENCE, "")
    .replace(BYTE_ORDER_MARKS, "")
    .replace(LINE_BREAK, "\n")
    .replace(UNREADABLE, REPLACEMENT);
  return VISIBLE.test(cleaned) ? cleaned : "";
}

/** Returns whether `value` is `null` or text without a visible character. */
export function isBlank(value: unknown): boolean {
  return value === null || typeof value === "string" && !VISIBLE.test(value);
}

/** Returns the number of code points. It is never greater than `text.length`. */
export function countCharacters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** Created when first used, because creating it takes longer than loading this folder. */
let graphemes: Intl.Segmenter | undefined;

/**
 * Returns `text`, or its beginning and an ellipsis if it has more than `max` characters. Truncates
 * between grapheme clusters, the characters that people see, never inside one.
 */
export function truncate(text: string, max: number): string {
  if (text.length <= max || countCharacters(text) <= max) return text;
  let end = 0;
  for (let count = 1; count < max; count++) end += text.codePointAt(end)! > 0xffff ? 2 : 1;
  graphemes ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  const { index } = graphemes.segment(text).containing(end)!;
  return text.slice(0, index).trimEnd() + ELLIPSIS;
}

/**
 * Returns a schema for one line of at most `max` characters, cleaned by
 * {@linkcode cleanSingleLine}.
 */
export function singleLine(max: number): z.ZodString {
  return limited(z.string().overwrite(cleanSingleLine), max);
}

/** Like {@linkcode singleLine}, but rejects text that is empty after cleaning. */
export function requiredSingleLine(max: number): z.ZodString {
  return singleLine(max).min(1, "must not be empty");
}

/** Like {@linkcode singleLine}, but absent if `null` or blank. */
export function optionalSingleLine(max: number): OptionalText {
  return absentIfEmpty(singleLine(max));
}

/**
 * Returns a schema for text of at most `max` characters, cleaned by {@linkcode cleanMultiLine};
 * absent if `null` or blank.
 */
export function optionalMultiLine(max: number): OptionalText {
  return absentIfEmpty(limited(z.string().overwrite(cleanMultiLine), max));
}

/**
 * Returns a schema for an identifier: one line of at most `max` characters, unchanged or rejected.
 * Cleaning could make two identifiers equal.
 */
export function exactSingleLine(max: number): z.ZodString {
  return limited(
    z.string().refine((text) => text.isWellFormed() && !CONTROL.test(text), {
      error: "must be one line of well-formed Unicode without control characters",
      abort: true,
    }),
    max,
  );
}

/** Returns `schema` with `null` and blank text counting as absent. */
export function optional<Schema extends z.ZodType>(
  schema: Schema,
): z.ZodOptional<z.ZodType<z.output<Schema> | undefined, z.input<Schema> | null>> {
  const absentIfBlank = (value: unknown) => isBlank(value) ? undefined : value;
  return z.preprocess(absentIfBlank, schema.nullish()).optional() as never;
}

function absentIfEmpty(text: z.ZodString): OptionalText {
  // `optional` once more at the end makes the key optional in the type of an object.
  return text.nullish().transform((cleaned) => cleaned || undefined).optional() as never;
}

function limited(text: z.ZodString, max: number): z.ZodString {
  return text.superRefine((value, context) => {
    if (value.length > max && countCharacters(value) > max) {
      context.addIssue(`must be at most ${max} characters`);
    }
  }).meta({ maxLength: max });
}
