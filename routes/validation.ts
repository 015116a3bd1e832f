import type { z } from "zod";
import type { ProblemError } from "./problems.ts";

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
    if (issue.code !== "unrecognized_keys") return [{ pointer: pointer(path), detail: message }];
    return issue.keys.map((key) => ({
      pointer: pointer([...path, key]),
      detail: "is not a known field",
    }));
  });
}
