import type { Context, MiddlewareHandler } from "hono";
import type { z } from "zod";
import type { Clock } from "../../domain/ports/clock.ts";
import type { RateLimit } from "../../domain/ports/rate_limit.ts";
import { Submission } from "../../domain/model/submission.ts";
import type { Env } from "../http/env.ts";
import { IDEMPOTENCY_KEY_RULE, parseIdempotencyKey } from "./idempotency_key.ts";
import { MAX_BODY_BYTES, readJsonBody } from "../http/json_body.ts";
import { problem } from "../http/problems.ts";
import { parse, toProblemErrors, validationProblem } from "../http/validation.ts";

/** How long a body may take to arrive, in milliseconds. */
export const BODY_TIMEOUT_MS = 10_000;
const DEADLINE_SHARED_MS = 1_000;

type Json = {
  in: { json: z.input<typeof Submission> };
  out: { json: Submission };
};

/**
 * Counts the submission, and parses its idempotency key and its body. Its type tells Hono's client
 * what to send.
 */
export function validateSubmission(
  rateLimit: RateLimit,
  clock: Pick<Clock, "deadline" | "elapsed">,
): MiddlewareHandler<Env, string, Json> {
  const deadline = sharedDeadline(clock);
  return async (c, next) => {
    const refusal = await checkRateLimit(c, rateLimit, "submission") ?? checkIdempotencyKey(c);
    if (refusal !== null) return refusal;
    const submission = await readSubmission(c, deadline());
    if (submission instanceof Response) return submission;
    c.req.addValidatedData("json", submission);
    return next();
  };
}

/**
 * Counts the resume like a submission, since it makes as many calls to the desk, and rejects a body
 * that is not JSON or too large. The body itself means nothing: there need not be one.
 */
export function validateResume(
  rateLimit: RateLimit,
  clock: Pick<Clock, "deadline" | "elapsed">,
): MiddlewareHandler<Env> {
  const deadline = sharedDeadline(clock);
  return async (c, next) => {
    const rejection = await checkRateLimit(c, rateLimit, "body");
    if (rejection !== null) return rejection;
    const body = await readBody(c, deadline(), "body");
    if (body instanceof Response) return body;
    return await next();
  };
}

/** What is sent: a submission, or the body of a call that needs none. */
type Sent = "submission" | "body";

/** Who resumes has a stored request, and must not read that nothing was stored. */
const OUTCOME: Record<Sent, string> = { submission: "Nothing was stored. ", body: "" };

/** Counts every submission of an actor in a tenant, replays too. */
async function checkRateLimit(
  c: Context<Env>,
  rateLimit: RateLimit,
  what: Sent,
): Promise<Response | null> {
  const decision = await rateLimit.consume(c.get("tenantId"), c.get("actor").id);
  if (decision.allowed) return null;
  const seconds = String(decision.retryAfterSeconds);
  return problem(c, "rate-limited", `${OUTCOME[what]}Try again in ${seconds} s`, {
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

/** The submission, or the answer to what is none. What was sent is not held while the desk is asked. */
async function readSubmission(
  c: Context<Env>,
  deadline: AbortSignal,
): Promise<Submission | Response> {
  const body = await readBody(c, deadline, "submission");
  if (body instanceof Response) return body;
  const parsed = parse(Submission, body.value);
  return parsed.success ? parsed.data : validationProblem(c, "body", toProblemErrors(parsed.error));
}

/**
 * Returns the JSON value of the body, or the response to what is none. `what` names it in a sentence:
 * any other body than a submission is optional.
 */
async function readBody(
  c: Context<Env>,
  deadline: AbortSignal,
  what: Sent,
): Promise<{ value: unknown } | Response> {
  const body = await readJsonBody(c.req.raw, deadline, { isOptional: what !== "submission" });
  c.env?.bodyIsRead?.();
  switch (body.outcome) {
    case "not_json":
      return problem(
        c,
        "not-json",
        `Send the ${what} in UTF-8 and with 'Content-Type: application/json'`,
      );
    case "encoded":
      return problem(c, "encoded-body", `Send the ${what} without a Content-Encoding`);
    case "too_large":
      return problem(c, "body-too-large", `Send at most ${MAX_BODY_BYTES} bytes`);
    case "too_fragmented":
      return problem(
        c,
        "malformed-request",
        `${OUTCOME[what]}The body came in too many pieces: send it in one`,
      );
    case "too_slow":
      return problem(c, "body-timeout", `${OUTCOME[what]}Send the whole body within 10 s`, {
        headers: { "Connection": "close" },
      });
    case "malformed":
      return problem(c, "malformed-json", body.detail);
  }
  return body;
}

/**
 * One deadline for all bodies that begin within a second: with one of its own each would leave
 * behind a timer that runs for ten seconds after the answer.
 */
function sharedDeadline(clock: Pick<Clock, "deadline" | "elapsed">): () => AbortSignal {
  let shared: { since: number; signal: AbortSignal } | null = null;
  return () => {
    const now = clock.elapsed();
    if (shared === null || now - shared.since > DEADLINE_SHARED_MS) {
      shared = { since: now, signal: clock.deadline(BODY_TIMEOUT_MS) };
    }
    return shared.signal;
  };
}
