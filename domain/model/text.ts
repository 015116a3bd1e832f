/**
 * Text that people and programs send. It is cleaned rather than rejected, because a log pasted with
 * its control characters must not cost anybody the request for help. Lengths are counted in
 * characters (code points, as JSON Schema's `maxLength` counts them) and after cleaning.
 */
import { z } from "zod";

/**
 * A terminal's colors and cursor movements (ECMA-48 control sequences), as copied logs contain them.
 * Only forms that take no letter of the text with them: with a parameter, or `m` and `K` without.
 */
// deno-lint-ignore no-control-regex
const TERMINAL_SEQUENCE = /\u001b\[(?:[\d:;?]+[A-Za-z]|[mK])/g;
const LINE_BREAK = /\r\n?|[\v\f\u0085\u2028\u2029]/g;
const BYTE_ORDER_MARKS = /^\ufeff+/;
const CONTROL = /[\p{Cc}\u2028\u2029]/u;
const NOT_SHOWN = /[^\P{Cc}\t\n]/gu;
/** What {@linkcode cleanMultiLine} changes: testing for it first takes a tenth of the time. */
const UNCLEAN = /[^\P{Cc}\t\n]|[\p{Cs}\u2028\u2029]|^\ufeff/u;
/** White space, control characters and unpaired surrogates. */
const BLANK_RUN = /[\s\p{Cc}\p{Cs}]+/gu;
const FOLDED = /[\p{Cc}\p{Cs}\u2028\u2029]/u;

/**
 * A character that a person sees. White space, control characters, unpaired surrogates, characters
 * that have no shape (`Default_Ignorable_Code_Point`, such as U+200B) and the blank Braille pattern
 * show nothing.
 */
const SHOWN = /[^\s\p{Cc}\p{Cs}\p{DI}\u2800]/u;

const ELLIPSIS = "…";
const REPLACEMENT = "\ufffd";

/**
 * Returns `text` as one line without blanks around it. Each run of white space that contains a line
 * break, a tab or another control character becomes one space, as does an unpaired surrogate: half
 * an emoji that a program cut off. Text without a visible character becomes empty.
 */
export function cleanSingleLine(text: string): string {
  if (!FOLDED.test(text)) return SHOWN.test(text) ? text.trim() : "";
  const cleaned = text.replace(TERMINAL_SEQUENCE, "")
    .replace(BLANK_RUN, (run) => FOLDED.test(run) ? " " : run)
    .trim();
  return SHOWN.test(cleaned) ? cleaned : "";
}

/**
 * Returns `text` with its tabs and indentation, and with `\n` for every line break of any system.
 * Terminal colors are removed, because they are only noise to a support agent. Every other control
 * character and every unpaired surrogate becomes U+FFFD, so that an agent sees that something was
 * there: a NUL may be the very fault. Text without a visible character becomes empty.
 */
export function cleanMultiLine(text: string): string {
  if (!UNCLEAN.test(text)) return SHOWN.test(text) ? text : "";
  const cleaned = text.toWellFormed()
    .replace(TERMINAL_SEQUENCE, "")
    .replace(BYTE_ORDER_MARKS, "")
    .replace(LINE_BREAK, "\n")
    .replace(NOT_SHOWN, REPLACEMENT);
  return SHOWN.test(cleaned) ? cleaned : "";
}

/** Returns whether `value` says nothing: `null`, or text without a visible character. */
export function isBlank(value: unknown): boolean {
  return value === null || typeof value === "string" && !SHOWN.test(value);
}

/** Returns the number of characters, which is at most the number of UTF-16 units. */
export function countCharacters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** Creating a segmenter takes longer than loading this folder, so only the first cut does it. */
let graphemes: Intl.Segmenter | undefined;

/**
 * Returns `text`, or its beginning and an ellipsis if it has more than `max` characters. It is cut
 * between characters as people see them (grapheme clusters), never inside one.
 */
export function truncate(text: string, max: number): string {
  if (text.length <= max || countCharacters(text) <= max) return text;
  let end = 0;
  for (let count = 1; count < max; count++) end += text.codePointAt(end)! > 0xffff ? 2 : 1;
  graphemes ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  const { index } = graphemes.segment(text).containing(end)!;
  return text.slice(0, index).trimEnd() + ELLIPSIS;
}

/** One line of at most `max` characters, cleaned by {@linkcode cleanSingleLine}. */
export function singleLine(max: number): z.ZodString {
  return limited(z.string().overwrite(cleanSingleLine), max);
}

/** The same, of at least one character. */
export function requiredSingleLine(max: number): z.ZodString {
  return singleLine(max).min(1, "must not be empty");
}

/** One line of at most `max` characters, cleaned by {@linkcode cleanSingleLine}; absent if blank. */
export function optionalSingleLine(max: number) {
  return absentIfEmpty(singleLine(max));
}

/** Text of at most `max` characters, cleaned by {@linkcode cleanMultiLine}; absent if blank. */
export function optionalMultiLine(max: number) {
  return absentIfEmpty(limited(z.string().overwrite(cleanMultiLine), max));
}

/**
 * One line of at most `max` characters that is kept exactly as it was sent, or rejected: an
 * identifier, of which cleaning could make two equal.
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

/** `schema`, with `null` and blank text counting as absent. */
export function optional<Schema extends z.ZodType>(
  schema: Schema,
): z.ZodOptional<z.ZodType<z.output<Schema> | undefined, z.input<Schema> | null>> {
  const absentIfBlank = (value: unknown) => isBlank(value) ? undefined : value;
  return z.preprocess(absentIfBlank, schema.nullish()).optional() as never;
}

function absentIfEmpty(
  text: z.ZodString,
): z.ZodOptional<z.ZodType<string | undefined, string | null>> {
  // Optional once more at the end, which makes the key optional in the type of an object.
  return text.nullish().transform((cleaned) => cleaned || undefined).optional() as never;
}

function limited(text: z.ZodString, max: number): z.ZodString {
  return text.superRefine((value, context) => {
    if (value.length > max && countCharacters(value) > max) {
      context.addIssue(`must be at most ${max} characters`);
    }
  }).meta({ maxLength: max });
}
