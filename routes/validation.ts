import type { Context } from "hono";
import type { z } from "zod";
import type { Env } from "./env.ts";
import { problem, type ProblemError } from "./problems.ts";

/** More would tell nobody more, and let a small request have a large answer. */
const MAX_ERRORS = 50;

const WHAT_TO_DO = {
  body: "Nothing was stored. Mend what 'errors' names and send it again",
  path: "Mend what 'errors' names in the path",
  query: "Mend what 'errors' names in the query",
};

/** Parses what a client sent, and puts into its words what zod would say in a programmer's. */
export function parse<Schema extends z.ZodType>(schema: Schema, input: unknown) {
  return schema.safeParse(input, { error: inWords });
}

/** The one answer to what was sent in `place` and is not valid. */
export function refuseInvalid(
  c: Context<Env>,
  place: keyof typeof WHAT_TO_DO,
  errors: ProblemError[],
) {
  return problem(c, "validation", WHAT_TO_DO[place], { errors: errors.slice(0, MAX_ERRORS) });
}

/** A JSON Pointer (RFC 6901) as a URI fragment, as RFC 9457 shows it. */
export function pointer(path: readonly PropertyKey[]): string {
  const parts = path.map((part) =>
    encodeURIComponent(String(part).toWellFormed().replaceAll("~", "~0").replaceAll("/", "~1"))
  );
  return ["#", ...parts].join("/");
}

/** What zod found, each at its own place: of unknown fields it tells only the object they are in. */
export function toProblemErrors(error: z.ZodError): ProblemError[] {
  return error.issues.flatMap(({ path, message, ...issue }) => {
    switch (issue.code) {
      case "unrecognized_keys":
        return issue.keys.map((key) => ({
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
function inWords(issue: z.core.$ZodRawIssue): string | undefined {
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
