import { type Context as HonoContext, Hono } from "hono";
import type { Dependencies } from "../../domain/dependencies.ts";
import { IDEMPOTENCY_KEY } from "../../domain/model/idempotency.ts";
import { type ContextSummary, getLatest } from "../../domain/get_latest.ts";
import type { RateLimit } from "../../domain/ports/rate_limit.ts";
import { resumeLatest } from "../../domain/resume_latest.ts";
import type { Submission } from "../../domain/model/submission.ts";
import { submit } from "../../domain/submit.ts";
import type { SupportRequest } from "../../domain/model/support_request.ts";
import { type ContextSummaryResponse, toResponse, toSummaryResponse } from "./responses.ts";
import { supportContextOf, validateRunId } from "./context.ts";
import { entityTag, matchesIfNoneMatch } from "../http/entity_tag.ts";
import type { Env } from "../http/env.ts";
import { withDefaultHeaders } from "../http/headers.ts";
import { json, jsonText } from "../http/json.ts";
import { problem } from "../http/problems.ts";
import { validateResume, validateSubmission } from "./parse_submission.ts";
import type { VerifyToken } from "../auth/token_verifier.ts";
import { pointer, validationProblem } from "../http/validation.ts";
import { requireScope } from "../auth/require_scope.ts";

export interface SupportRequestsOptions {
  deps: Dependencies;
  verify: VerifyToken;
  rateLimit: RateLimit;
}

/** Submit, latest and resume, in a tenant's context and in a run's. */
export function supportRequestRoutes({ deps, verify, rateLimit }: SupportRequestsOptions) {
  const mayCreate = requireScope(verify, "support_requests:create");
  const mayRead = requireScope(verify, "support_requests:read");
  const accepted = validateSubmission(rateLimit, deps.clock);
  const acceptedResume = validateResume(rateLimit, deps.clock);
  const write = createSerializer();

  return new Hono<Env>()
    .post(
      "/v1/tenants/:tenantId/support-requests",
      mayCreate,
      accepted,
      (c) => respondToSubmission(c, deps, c.req.valid("json")),
    )
    .post(
      "/v1/tenants/:tenantId/runs/:runId/support-requests",
      mayCreate,
      accepted,
      validateRunId,
      (c) => respondToSubmission(c, deps, c.req.valid("json")),
    )
    .get(
      "/v1/tenants/:tenantId/support-requests/latest",
      mayRead,
      (c) => respondWithLatest(c, deps, write),
    )
    .get(
      "/v1/tenants/:tenantId/runs/:runId/support-requests/latest",
      mayRead,
      validateRunId,
      (c) => respondWithLatest(c, deps, write),
    )
    .post(
      "/v1/tenants/:tenantId/support-requests/latest/resume",
      mayCreate,
      acceptedResume,
      (c) => respondToResume(c, deps),
    )
    .post(
      "/v1/tenants/:tenantId/runs/:runId/support-requests/latest/resume",
      mayCreate,
      acceptedResume,
      validateRunId,
      (c) => respondToResume(c, deps),
    );
}

async function respondToSubmission(
  c: HonoContext<Env>,
  deps: Dependencies,
  submission: Submission,
) {
  c.set("isSubmitting", true);
  const result = await submit(deps, {
    context: supportContextOf(c),
    actor: c.get("actor"),
    requestorEmail: c.get("requestorEmail"),
    submission,
    idempotencyKey: await storedKey(c, deps),
    requestId: c.get("requestId"),
  });
  switch (result.outcome) {
    case "submitted": {
      const headers = result.replayed ? { "Idempotent-Replayed": "true" } : undefined;
      return json(c, toResponse(result.request), 201, headers);
    }
    case "not_a_ticket":
      return validationProblem(c, "body", [
        { pointer: pointer(["handoff", "ticket"]), detail: ticketRule(deps) },
      ]);
    case "key_reused":
      return problem(
        c,
        "idempotency-key-reused",
        "Nothing was stored. Send another submission with a key of its own",
      );
    case "in_progress": {
      const seconds = String(result.retryAfterSeconds);
      return problem(c, "idempotency-in-progress", `Retry with the same key in ${seconds} s`, {
        headers: { "Retry-After": seconds },
      });
    }
  }
}

/**
 * The idempotency key, or its header with the quotes if a request was stored under that: version 1
 * did so. Otherwise a retry that reaches this version would create a second ticket.
 */
async function storedKey(
  c: HonoContext<Env>,
  { store }: Dependencies,
): Promise<string | undefined> {
  const key = c.get("idempotencyKey");
  const header = c.req.header("Idempotency-Key");
  if (key === header || header === undefined || !IDEMPOTENCY_KEY.test(header)) return key;
  const scope = { tenantId: c.get("tenantId"), actorId: c.get("actor").id, key: header };
  return (await store.findKey(scope)).outcome === "taken" ? header : key;
}

async function respondToResume(c: HonoContext<Env>, deps: Dependencies) {
  const result = await resumeLatest(deps, {
    context: supportContextOf(c),
    actor: c.get("actor"),
    requestId: c.get("requestId"),
  });
  switch (result.outcome) {
    case "done":
      return json(c, toResponse(result.request), 200);
    case "no_request":
      return problem(c, "not-found", "No support request is stored in this context. Submit one");
    case "in_progress": {
      const seconds = String(result.retryAfterSeconds);
      return problem(c, "handoff-in-progress", `Try again in ${seconds} s`, {
        headers: { "Retry-After": seconds },
      });
    }
  }
}

function ticketRule({ desk }: Dependencies): string {
  return desk === null
    ? "cannot be linked: no support desk is configured here"
    : `must be a ticket number, or the address of one ticket at ${desk.label}`;
}

/**
 * Writes summaries. Readers who shared a read of the store share the writing, too: of one process's
 * summaries only the request differs.
 */
function createSerializer() {
  const written = new WeakMap<SupportRequest, { text: string; tag: string }>();
  return async (summary: ContextSummary) => {
    const { supportRequest } = summary;
    const known = supportRequest && written.get(supportRequest);
    if (known) return known;
    const text = JSON.stringify(toSummaryResponse(summary));
    const answer = { text, tag: await entityTag(text) };
    if (supportRequest) written.set(supportRequest, answer);
    return answer;
  };
}

async function respondWithLatest(
  c: HonoContext<Env>,
  deps: Dependencies,
  write: ReturnType<typeof createSerializer>,
) {
  const { text, tag } = await write(await getLatest(deps, supportContextOf(c)));
  const headers = {
    "Cache-Control": "private, no-cache",
    "ETag": tag,
    "Vary": "Authorization",
  };
  if (matchesIfNoneMatch(c.req.header("If-None-Match"), tag)) {
    // Not in the type: what is cached stands in for it before a typed client looks.
    return new Response(null, { status: 304, headers: withDefaultHeaders(c, headers) }) as never;
  }
  return jsonText<ContextSummaryResponse, 200>(c, text, 200, headers);
}
