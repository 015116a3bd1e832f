import { type Context as HonoContext, Hono } from "hono";
import { etag, RETAINED_304_HEADERS } from "hono/etag";
import type { Deskhand } from "../domain/deskhand.ts";
import { latest } from "../domain/latest.ts";
import type { RateLimit } from "../domain/ports.ts";
import type { Submission } from "../domain/submission.ts";
import { submit } from "../domain/submit.ts";
import { toAnswer, toSummaryAnswer } from "./answers.ts";
import { contextOf, validRun } from "./context.ts";
import type { Env } from "./env.ts";
import { problem } from "./problems.ts";
import { idempotencyKey, limitRate, submissionBody } from "./submission.ts";
import type { VerifyToken } from "./token.ts";
import { pointer, refuseInvalid } from "./validation.ts";
import { whoMay } from "./who_may.ts";

export interface SupportRequestsOptions {
  deskhand: Deskhand;
  verify: VerifyToken;
  rateLimit: RateLimit;
}

/** What earlier middleware has set, and a page that sends If-None-Match cannot do without. */
const SET_BEFORE = [
  "X-Request-Id",
  "Access-Control-Allow-Origin",
  "Access-Control-Expose-Headers",
];

/** Submit and latest, in a tenant's context and in a run's. */
export function supportRequests({ deskhand, verify, rateLimit }: SupportRequestsOptions) {
  const mayCreate = whoMay(verify, "support_requests:create");
  const mayRead = whoMay(verify, "support_requests:read");
  const counted = limitRate(rateLimit);
  const body = submissionBody(deskhand.clock);
  const tagged = etag({ retainedHeaders: [...RETAINED_304_HEADERS, ...SET_BEFORE] });

  return new Hono<Env>()
    .post(
      "/v1/tenants/:tenantId/support-requests",
      mayCreate,
      counted,
      idempotencyKey,
      body,
      (c) => answerSubmission(c, deskhand, c.req.valid("json")),
    )
    .post(
      "/v1/tenants/:tenantId/runs/:runId/support-requests",
      mayCreate,
      counted,
      idempotencyKey,
      body,
      validRun,
      (c) => answerSubmission(c, deskhand, c.req.valid("json")),
    )
    .get(
      "/v1/tenants/:tenantId/support-requests/latest",
      mayRead,
      tagged,
      (c) => answerLatest(c, deskhand),
    )
    .get(
      "/v1/tenants/:tenantId/runs/:runId/support-requests/latest",
      mayRead,
      validRun,
      tagged,
      (c) => answerLatest(c, deskhand),
    );
}

async function answerSubmission(c: HonoContext<Env>, deskhand: Deskhand, submission: Submission) {
  c.set("isSubmitting", true);
  const result = await submit(deskhand, {
    context: contextOf(c),
    actor: c.get("actor"),
    submission,
    idempotencyKey: c.get("idempotencyKey"),
    requestId: c.get("requestId"),
  });
  switch (result.outcome) {
    case "submitted": {
      if (result.replayed) c.header("Idempotent-Replayed", "true");
      return c.json(toAnswer(result.request), 201);
    }
    case "not_a_ticket":
      return refuseInvalid(c, "body", [
        { pointer: pointer(["handoff", "ticket"]), detail: ticketRule(deskhand) },
      ]);
    case "key_reused":
      return problem(
        c,
        "idempotency-key-reused",
        "Nothing was stored. Send another submission with a key of its own",
      );
    case "under_way": {
      const seconds = String(result.retryAfterSeconds);
      return problem(c, "idempotency-under-way", `Ask again with the same key in ${seconds} s`, {
        headers: { "Retry-After": seconds },
      });
    }
  }
}

function ticketRule({ desk }: Deskhand): string {
  return desk === null
    ? "cannot be linked: no support desk is configured here"
    : `must be a ticket number, or the address of one ticket at ${desk.label}`;
}

async function answerLatest(c: HonoContext<Env>, deskhand: Deskhand) {
  const summary = await latest(deskhand, contextOf(c));
  c.header("Cache-Control", "private, no-cache");
  c.header("Vary", "Authorization", { append: true });
  return c.json(toSummaryAnswer(summary), 200);
}
