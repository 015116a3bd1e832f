import type { Context, TypedResponse } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Env } from "./env.ts";
import { json } from "./json.ts";

/** Every refusal, by the last part of its `type`. Statuses are chosen here and nowhere else. */
export const PROBLEMS = {
  "unauthenticated": [401, "A valid token is needed"],
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
  "idempotency-key-reused": [422, "The idempotency key belongs to another submission"],
  "rate-limited": [429, "Too many submissions"],
  "internal": [500, "Something went wrong here"],
  "store-unavailable": [503, "The store does not answer"],
  "keys-unavailable": [503, "Tokens cannot be verified just now"],
} as const satisfies Record<string, readonly [ContentfulStatusCode, string]>;

export type ProblemSlug = keyof typeof PROBLEMS;

type StatusOf<Slug extends ProblemSlug> = (typeof PROBLEMS)[Slug][0];

/** One thing that is wrong: where, as a JSON Pointer (RFC 6901) in a URI fragment, and what. */
export interface ProblemError {
  pointer: string;
  detail: string;
}

/**
 * The `type` of a problem: the service's public URL, if one is configured, and the path of the page
 * about the problem. Clients compare the slug, its last segment.
 */
export type ProblemType<Slug extends ProblemSlug = ProblemSlug> = `${string}/problems/${Slug}`;

/** RFC 9457. */
export interface Problem {
  type: ProblemType;
  title: string;
  status: number;
  detail: string;
  requestId: string;
  errors?: ProblemError[];
}

export interface ProblemOptions {
  errors?: ProblemError[];
  headers?: Record<string, string>;
}

/** RFC 9457, 3.1.1, recommends an absolute URI; without PUBLIC_URL it is the full path. */
export function problemType(c: Context<Env>, slug: ProblemSlug): ProblemType {
  return `${c.get("publicUrl") ?? ""}/problems/${slug}`;
}

/** The one error body. `detail` says what to do, and never what an exception or the desk said. */
export function problem<Slug extends ProblemSlug>(
  c: Context<Env>,
  slug: Slug,
  detail: string,
  { errors, headers }: ProblemOptions = {},
): Response & TypedResponse<Problem, StatusOf<Slug>, "json"> {
  // Who rejects for a more precise reason has said so before.
  if (c.get("rejection") === undefined) c.set("rejection", { reason: slug.replaceAll("-", "_") });
  const [status, title]: readonly [StatusOf<Slug>, string] = PROBLEMS[slug];
  const body: Problem = {
    type: problemType(c, slug),
    title,
    status,
    detail,
    requestId: c.get("requestId"),
    ...errors && { errors },
  };
  return json(c, body, status, { ...headers, "Content-Type": "application/problem+json" });
}
