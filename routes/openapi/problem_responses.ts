import { IDEMPOTENCY_KEY_RULE } from "../v1/idempotency_key.ts";
import { BODY_SIZE_RULE } from "../v1/parse_submission.ts";
import { type Problem, PROBLEMS, type ProblemSlug } from "../http/problems.ts";
import type { Stored } from "../http/env.ts";
import { HOST_RULE } from "../http/request_target.ts";
import { type HeaderName, headerRefs } from "./response_headers.ts";
import type { Example, ResponseObject } from "./types.ts";

/** An example of `detail` for each problem type. */
const DETAILS: Record<ProblemSlug, string> = {
  "unauthenticated": "Send a token as 'Authorization: Bearer <token>'",
  "insufficient-scope": "Get a token with the scope support_requests:create",
  "not-found": "It does not exist, or this token has no access to it. Check the path",
  "method-not-allowed": "Use POST",
  "idempotency-in-progress": "Retry with the same key in 15 s",
  "handoff-in-progress": "Try again in 15 s",
  "body-timeout": "Nothing was stored. Send the whole body within 10 s",
  "body-too-large": BODY_SIZE_RULE,
  "not-json": "Send the submission in UTF-8 and with 'Content-Type: application/json'",
  "encoded-body": "Send the submission without a Content-Encoding",
  "malformed-request": HOST_RULE,
  "malformed-json": "Check its syntax. Send one JSON object",
  "invalid-idempotency-key": IDEMPOTENCY_KEY_RULE,
  "validation": "Nothing was stored. Correct the fields listed in 'errors' and send it again",
  "idempotency-key-reused": "Nothing was stored. Use a new key for a different submission",
  "rate-limited": "Nothing was stored. Try again in 12 s",
  "internal": "Report the requestId to the operator of this service",
  "store-unavailable":
    "The request may have been stored. Send it again with the same Idempotency-Key",
  "overloaded": "Nothing was stored. Try again in 2 s",
  "keys-unavailable": "The issuer's keys are unavailable. Try again in a few seconds",
};

/** The examples that are responses to a submission. Reads have the others, too. */
const STORED: Partial<Record<ProblemSlug, Stored>> = {
  "idempotency-in-progress": "yes",
  "body-timeout": "no",
  "validation": "no",
  "idempotency-key-reused": "no",
  "rate-limited": "no",
  "internal": "unknown",
  "store-unavailable": "unknown",
  "overloaded": "no",
};

const HEADERS: Partial<Record<ProblemSlug, HeaderName>> = {
  "unauthenticated": "WWW-Authenticate",
  "insufficient-scope": "WWW-Authenticate",
  "idempotency-in-progress": "Retry-After",
  "handoff-in-progress": "Retry-After",
  "rate-limited": "Retry-After",
  "store-unavailable": "Retry-After",
  "overloaded": "Retry-After",
  "keys-unavailable": "Retry-After",
};

/** Returns a complete example of a problem type. */
export function exampleProblem(slug: ProblemSlug): Problem {
  const [status, title] = PROBLEMS[slug];
  const stored = STORED[slug];
  const errors = [{
    pointer: "#/contact/email",
    detail: "must be an email address such as ada@example.com",
  }];
  return {
    type: `/problems/${slug}`,
    title,
    status,
    detail: DETAILS[slug],
    requestId: "0d6f3f0e-52a5-4d0c-9f0e-2b1b8a6f5c7d",
    ...stored && { stored },
    ...slug === "validation" && { errors },
  };
}

/** Returns the error responses of one operation by status, with an example per problem type. */
export function problemResponses(slugs: readonly ProblemSlug[]): Record<string, ResponseObject> {
  const byStatus = Map.groupBy(slugs, (slug) => PROBLEMS[slug][0]);
  return Object.fromEntries(
    [...byStatus].map(([status, slugs]) => [String(status), {
      description: slugs.map((slug) => PROBLEMS[slug][1]).join("; or: "),
      headers: headerRefs(slugs.flatMap((slug) => HEADERS[slug] ?? [])),
      content: {
        "application/problem+json": {
          schema: { $ref: "#/components/schemas/Problem" },
          examples: Object.fromEntries(
            slugs.map((slug) => [slug, { $ref: `#/components/examples/${slug}` }]),
          ),
        },
      },
    }]),
  );
}

/** Returns the examples that {@linkcode problemResponses} refers to. */
export function problemExamples(): Record<string, Example> {
  const slugs = (Object.keys(PROBLEMS) as ProblemSlug[])
    // Not specific to an operation: the schema Problem documents it.
    .filter((slug) => slug !== "method-not-allowed");
  return Object.fromEntries(
    slugs.map((slug) => [slug, { summary: PROBLEMS[slug][1], value: exampleProblem(slug) }]),
  );
}
