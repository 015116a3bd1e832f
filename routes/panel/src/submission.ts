/** What a person enters: its fields, its rules, and the body it becomes. */
import { isOneOf } from "./parse.ts";
import { TEXT_KEYS, type TextKey, type TextValues } from "./texts/en.ts";
import type { HandoffMode, Severity } from "./types.ts";

/** The values of an empty form, in the order of its fields. */
export const EMPTY_DRAFT = {
  summary: "",
  description: "",
  severity: "normal",
  name: "",
  email: "",
  mode: "create",
  ticket: "",
};

export type FieldName = keyof typeof EMPTY_DRAFT;
export type Draft = Record<FieldName, string>;

export const FIELD_NAMES = Object.keys(EMPTY_DRAFT) as FieldName[];

/** The service's limits, in characters. */
const MAX_LENGTHS = {
  summary: 200,
  description: 8_000,
  name: 120,
  email: 254,
  ticket: 2_000,
};

/** The service takes bodies of 48 KiB. */
const MAX_BODY_BYTES = 47 * 1024;

/** What the service stores of one value. */
const MAX_VALUE_LENGTH = 4_000;

/** What is wrong with a field, as a text of any language. */
export type FieldErrors = Partial<Record<FieldName, [TextKey, TextValues?]>>;

/** Returns the text; undefined if it is blank. The service cleans it. */
export function textOf(text: string): string | undefined {
  return text.trimEnd() || undefined;
}

/** Returns what a person has to correct before the draft can be sent. */
export function validate(draft: Draft): FieldErrors {
  const errors: FieldErrors = {};
  if (!textOf(draft.summary)) errors.summary = ["summaryMissing"];
  if (draft.mode === "link" && !textOf(draft.ticket)) errors.ticket = ["ticketMissing"];
  for (const [name, max] of Object.entries(MAX_LENGTHS) as [FieldName, number][]) {
    const count = [...textOf(draft[name]) ?? ""].length;
    if (count > max) errors[name] = ["tooLong", { max, count }];
  }
  return errors;
}

/** Returns the errors of the fields that the service rejected; null if it names anything else. */
export function errorsAt(pointers: string[] = []): FieldErrors | null {
  const errors: FieldErrors = {};
  for (const pointer of pointers) {
    const name = FIELD_NAMES.find((name) => pointer.match(`^#/(contact/|handoff/)?${name}$`));
    if (!name) return null;
    const key = `${name}Invalid`;
    errors[name] = [isOneOf(TEXT_KEYS, key) ? key : "fieldInvalid"];
  }
  return pointers.length ? errors : null;
}

export interface Submission {
  summary?: string;
  description?: string;
  severity: Severity;
  contact?: { name?: string; email?: string };
  handoff: { mode: HandoffMode; ticket?: string };
}

export function toSubmission(draft: Draft): Submission {
  const name = textOf(draft.name);
  const email = textOf(draft.email);
  const mode = draft.mode as HandoffMode;
  return {
    summary: textOf(draft.summary),
    description: textOf(draft.description),
    severity: draft.severity as Severity,
    contact: name || email ? { name, email } : undefined,
    handoff: { mode, ticket: mode === "link" ? textOf(draft.ticket) : undefined },
  };
}

/** Returns the body, with as much of the diagnostics as the service takes. */
export function toBody(submission: Submission, diagnostics: Record<string, string>): string {
  const entries = Object.entries(diagnostics);
  for (let length = MAX_VALUE_LENGTH;; length /= 2) {
    const fitting = entries.map(([key, value]) => [key, value.slice(0, length)]);
    const body = JSON.stringify({
      ...submission,
      diagnostics: entries.length > 0 ? Object.fromEntries(fitting) : undefined,
    });
    if (length < 1 || new Blob([body]).size <= MAX_BODY_BYTES) return body;
  }
}
