import type { Context } from "hono";
import type { Clock } from "../../domain/ports/clock.ts";
import type { RateLimit } from "../../domain/ports/rate_limit.ts";
import { Submission } from "../../domain/model/submission.ts";
import type { Env } from "../http/env.ts";
import { IDEMPOTENCY_KEY_RULE, parseIdempotencyKey } from "./idempotency_key.ts";
import { MAX_BODY_BYTES, readJsonBody } from "../http/json_body.ts";
import { problem } from "../http/problems.ts";
import { parse, toFieldErrors, validationProblem } from "../http/validation.ts";

/** Helps with JSON encoders that escape everything beyond ASCII: an emoji then takes 12 bytes, not 4. */
export const BODY_SIZE_RULE =
  `Send at most ${MAX_BODY_BYTES} bytes. Text in UTF-8 takes fewer than with \\u escapes`;

/** How long a body may take to arrive, in milliseconds. */
export const BODY_TIMEOUT_MS = 10_000;

/**
 * Applies the rate limit, then validates the idempotency key and the body. Resolves with the submission,
 * or with the error response.
 */
export async function parseSubmission(
  c: Context<Env>,
  { rateLimit, clock }: ParseOptions,
): Promise<Submission | Response> {
  const rejection = await checkRateLimit(c, rateLimit, "submission") ?? checkIdempotencyKey(c);
  return rejection ?? readSubmission(c, clock);
}

/**
 * Applies the same rate limit to a resume, because it makes as many calls to the desk, and rejects a
 * body that is not JSON or too large. The body is optional and ignored. Resolves with the error response,
 * or with null.
 */
export async function checkResume(
  c: Context<Env>,
  { rateLimit, clock }: ParseOptions,
): Promise<Response | null> {
  const rejection = await checkRateLimit(c, rateLimit, "body");
  if (rejection !== null) return rejection;
  const body = await readBody(c, clock, "body");
  return body instanceof Response ? body : null;
}

export interface ParseOptions {
  rateLimit: RateLimit;
  clock: Pick<Clock, "deadline">;
}

/** What a body is called in a sentence: a submission, or the optional body of a resume. */
type BodyName = "submission" | "body";

/** A resume has a stored request: its caller must not read that nothing was stored. */
const OUTCOME: Record<BodyName, string> = { submission: "Nothing was stored. ", body: "" };

/** Counts every submission of an actor in a tenant, including replays. */
async function checkRateLimit(
  c: Context<Env>,
  rateLimit: RateLimit,
  name: BodyName,
): Promise<Response | null> {
  const decision = await rateLimit.consume(c.get("tenantId"), c.get("actor").id);
  if (decision.allowed) return null;
  const seconds = String(decision.retryAfterSeconds);
  return problem(c, "rate-limited", `${OUTCOME[name]}Try again in ${seconds} s`, {
    headers: { "Retry-After": seconds },
  });
}

function checkIdempotencyKey(c: Context<Env>): Response | null {
  const header = c.req.header("Idempotency-Key");
  if (header === undefined) return null;
  const key = parseIdempotencyKey(header);
  if (key === null) return problem(c, "invalid-idempotency-key", IDEMPOTENCY_KEY_RULE);
  c.set("idempotencyKey", key);
  return null;
}

/**
 * Returns the submission, or the error response. A separate function, so that the raw body can be
 * garbage-collected while the desk is being called.
 */
async function readSubmission(
  c: Context<Env>,
  clock: Pick<Clock, "deadline">,
): Promise<Submission | Response> {
  const body = await readBody(c, clock, "submission");
  if (body instanceof Response) return body;
  const parsed = parse(Submission, body.value);
  return parsed.success ? parsed.data : validationProblem(c, "body", toFieldErrors(parsed.error));
}

/** Returns the JSON value of the body, or the error response. Only a submission is required. */
async function readBody(
  c: Context<Env>,
  clock: Pick<Clock, "deadline">,
  name: BodyName,
): Promise<{ value: unknown } | Response> {
  const startDeadline = () => clock.deadline(BODY_TIMEOUT_MS);
  const isOptional = name !== "submission";
  const body = await readJsonBody(c.req.raw, startDeadline, { isOptional });
  c.env?.onBodyRead?.();
  switch (body.outcome) {
    case "not_json":
      return problem(
        c,
        "not-json",
        `Send the ${name} in UTF-8 and with 'Content-Type: application/json'`,
      );
    case "encoded":
      return problem(c, "encoded-body", `Send the ${name} without a Content-Encoding`);
    case "too_large":
      return problem(c, "body-too-large", BODY_SIZE_RULE);
    case "too_fragmented":
      return problem(
        c,
        "malformed-request",
        `${OUTCOME[name]}The body arrived in too many chunks. Send it in fewer, larger ones`,
      );
    case "too_slow":
      return problem(c, "body-timeout", `${OUTCOME[name]}Send the whole body within 10 s`, {
        headers: { "Connection": "close" },
      });
    case "malformed":
      return problem(c, "malformed-json", body.detail);
  }
  return body;
}
