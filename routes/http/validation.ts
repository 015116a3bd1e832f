import type { Context } from "hono";
import type { z } from "zod";
import type { Env } from "./env.ts";
import { problem, type ProblemError } from "./problems.ts";

/** More would tell nobody more, and let a small request have a large answer. */
const MAX_ERRORS = 50;

/**
 * The most that all errors of one response take, in characters of JSON: names of fields are the
 * client's, and each may be as long as the body, three times as long once it is encoded.
 */
const MAX_ERRORS_LENGTH = 12_000;
/** Longer than any name that is accepted, in characters. */
const MAX_NAME_LENGTH = 80;

const ADVICE = {
  body: "Nothing was stored. Correct what 'errors' lists, and send it again",
  path: "Correct what 'errors' lists in the path",
  query: "Correct what 'errors' lists in the query",
};

/** Parses what a client sent, and puts into its words what zod would say in a programmer's. */
export function parse<Schema extends z.ZodType>(schema: Schema, input: unknown) {
  return schema.safeParse(input, { error: errorMessage });
}

/** The one answer to what was sent in `place` and is not valid. */
export function validationProblem(
  c: Context<Env>,
  place: keyof typeof ADVICE,
  errors: ProblemError[],
) {
  return problem(c, "validation", ADVICE[place], { errors: limitErrors(errors) });
}

/** The first errors, as many as there is room for, and one at least. */
function limitErrors(errors: ProblemError[]): ProblemError[] {
  let length = 0;
  const isOver = (error: ProblemError) =>
    (length += JSON.stringify(error).length) > MAX_ERRORS_LENGTH;
  const over = errors.slice(0, MAX_ERRORS).findIndex(isOver);
  return errors.slice(0, over === -1 ? MAX_ERRORS : Math.max(over, 1));
}

/**
 * A JSON Pointer (RFC 6901) as a URI fragment, as RFC 9457 shows it. A name that is too long to be
 * one is cut and ends with an ellipsis.
 */
export function pointer(path: readonly PropertyKey[]): string {
  const parts = path.map((part) =>
    encodeURIComponent(
      truncateName(String(part)).toWellFormed().replaceAll("~", "~0").replaceAll("/", "~1"),
    )
  );
  return ["#", ...parts].join("/");
}

function truncateName(name: string): string {
  if (name.length <= MAX_NAME_LENGTH) return name;
  // No character has more than two UTF-16 units: a long name is not taken apart as a whole.
  const characters = [...name.slice(0, 2 * MAX_NAME_LENGTH + 2)];
  return characters.length <= MAX_NAME_LENGTH
    ? name
    : `${characters.slice(0, MAX_NAME_LENGTH).join("")}…`;
}

/** What zod found, each at its own place: of unknown fields it tells only the object they are in. */
export function toProblemErrors(error: z.ZodError): ProblemError[] {
  return error.issues.flatMap(({ path, message, ...issue }) => {
    switch (issue.code) {
      case "unrecognized_keys":
        return issue.keys.slice(0, MAX_ERRORS).map((key) => ({
          pointer: pointer([...path, key]),
          detail: "is not a known field",
        }));
      case "invalid_key":
        return issue.issues.map(({ message }) => ({
          pointer: pointer(path),
          detail: `its key ${message}`,
        }));
      default:
        return [{ pointer: pointer(path), detail: message }];
    }
  });
}

const TYPES: Record<string, string> = {
  string: "a string",
  object: "an object",
  record: "an object",
};

/** Undefined leaves the message to zod. What a schema says for itself is not asked for here. */
function errorMessage(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.input === undefined) return "is required";
  switch (issue.code) {
    case "invalid_type":
      return TYPES[issue.expected] && `must be ${TYPES[issue.expected]}`;
    case "invalid_value":
      return `must be one of ${issue.values.join(", ")}`;
    case "invalid_union":
      // Of an unknown discriminator zod tells which there are.
      return Array.isArray(issue.options)
        ? `must be one of ${issue.options.join(", ")}`
        : undefined;
  }
}
