import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Env, Stored } from "./env.ts";
import { createJsonResponse } from "./headers.ts";

/** All problem types, by the last segment of their `type`. The only place that assigns statuses. */
export const PROBLEMS = {
  "unauthenticated": [401, "A valid token is required"],
  "insufficient-scope": [403, "The token's scope does not cover this call"],
  "not-found": [404, "Not found"],
  "method-not-allowed": [405, "Method not allowed"],
  "idempotency-in-progress": [409, "The first submission with this key is still in progress"],
  "handoff-in-progress": [409, "The handoff to the desk is still in progress"],
  "body-timeout": [408, "The body took too long to arrive"],
  "body-too-large": [413, "The body is too large"],
  "not-json": [415, "The body must be JSON"],
  "encoded-body": [415, "The body must not be compressed"],
  "malformed-request": [400, "The request is not well-formed"],
  "malformed-json": [400, "The body is not well-formed JSON"],
  "invalid-idempotency-key": [400, "The idempotency key is not valid"],
  "validation": [422, "The request is not valid"],
  "idempotency-key-reused": [422, "The idempotency key was used for a different submission"],
  "rate-limited": [429, "Too many submissions"],
  "internal": [500, "Internal server error"],
  "store-unavailable": [503, "The store is unavailable"],
  "overloaded": [503, "Too many submissions are in progress"],
  "keys-unavailable": [503, "Tokens cannot be verified right now"],
} as const satisfies Record<string, readonly [ContentfulStatusCode, string]>;

export type ProblemSlug = keyof typeof PROBLEMS;

/** One validation error. `pointer` is a JSON Pointer (RFC 6901) as a URI fragment. */
export interface FieldError {
  pointer: string;
  detail: string;
}

/**
 * The `type` of a problem: the service's public URL, if configured, and the path of the page about the
 * problem. Clients compare the slug, its last segment.
 */
export type ProblemType = `${string}/problems/${ProblemSlug}`;

/** The body of every error response (RFC 9457). */
export interface Problem {
  type: ProblemType;
  title: string;
  status: number;
  detail: string;
  requestId: string;
  /** Only in responses to a submission. */
  stored?: Stored;
  errors?: FieldError[];
}

export interface ProblemOptions {
  errors?: FieldError[];
  headers?: Record<string, string>;
}

/** Returns an absolute URI, as RFC 9457, 3.1.1, recommends, or without `PUBLIC_URL` the full path. */
export function problemType(c: Context<Env>, slug: ProblemSlug): ProblemType {
  return `${c.get("publicUrl") ?? ""}/problems/${slug}`;
}

/** Returns whether the request is a submission, also if it was rejected before it had a route. */
export function isSubmission({ req }: Context<Env>): boolean {
  return req.method === "POST" && req.path.endsWith("/support-requests");
}

/**
 * Creates every error response. `detail` says what to do. It never contains text from an exception,
 * the desk or the issuer.
 */
export function problem(
  c: Context<Env>,
  slug: ProblemSlug,
  detail: string,
  { errors, headers }: ProblemOptions = {},
): Response {
  // A caller with a more precise reason has set it before.
  if (c.get("rejection") === undefined) c.set("rejection", { reason: slug.replaceAll("-", "_") });
  const [status, title] = PROBLEMS[slug];
  const stored = c.get("stored") ?? (isSubmission(c) ? "no" : undefined);
  const body: Problem = {
    type: problemType(c, slug),
    title,
    status,
    detail,
    requestId: c.get("requestId"),
    ...stored && { stored },
    ...errors && { errors },
  };
  return createJsonResponse(c, body, status, {
    ...headers,
    "Content-Type": "application/problem+json",
  });
}
