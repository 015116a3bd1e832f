import { type Context, Hono } from "hono";
import type { Dependencies } from "../../domain/dependencies.ts";
import { IDEMPOTENCY_KEY } from "../../domain/model/idempotency.ts";
import { getLatest } from "../../domain/get_latest.ts";
import type { RateLimit } from "../../domain/ports/rate_limit.ts";
import { resumeLatest } from "../../domain/resume_latest.ts";
import type { Submission } from "../../domain/model/submission.ts";
import { submit } from "../../domain/submit.ts";
import type { SupportRequest } from "../../domain/model/support_request.ts";
import { toResponse } from "./responses.ts";
import { createSummarySerializer } from "./serialize_summary.ts";
import { checkRunId, supportContextOf } from "./context.ts";
import { matchesIfNoneMatch } from "../http/entity_tag.ts";
import type { Env } from "../http/env.ts";
import { createJsonResponse, createResponse } from "../http/headers.ts";
import { problem } from "../http/problems.ts";
import { rejectIfOverloaded } from "./reject_if_overloaded.ts";
import { checkResume, parseSubmission } from "./parse_submission.ts";
import type { VerifyToken } from "../auth/verification.ts";
import { pointer, validationProblem } from "../http/validation.ts";
import { requireScope } from "../auth/require_scope.ts";

export interface SupportRequestsOptions {
  deps: Dependencies;
  verify: VerifyToken;
  rateLimit: RateLimit;
}

type TenantContext = Context<Env, "/v1/tenants/:tenantId">;

/**
 * Creates the routes that submit, read and resume support requests of a tenant or a run. The handler of
 * a route makes its checks itself: as middleware, each check would add 5 to 8 µs to a submission without
 * load.
 */
export function supportRequestRoutes(
  { deps, verify, rateLimit }: SupportRequestsOptions,
): Hono<Env> {
  const checkCreate = requireScope(verify, "support_requests:create");
  const checkRead = requireScope(verify, "support_requests:read");
  const checkLoad = rejectIfOverloaded();
  const parseOptions = { rateLimit, clock: deps.clock };
  const serialize = createSummarySerializer();

  async function handleSubmission(c: TenantContext): Promise<Response> {
    const rejection = await checkCreate(c) ?? checkLoad(c);
    if (rejection !== null) return rejection;
    const submission = await parseSubmission(c, parseOptions);
    if (submission instanceof Response) return submission;
    return checkRunId(c) ?? respondToSubmission(c, deps, submission);
  }

  async function handleLatest(c: TenantContext): Promise<Response> {
    const rejection = await checkRead(c) ?? checkRunId(c);
    return rejection ?? respondWithLatest(c, deps, serialize);
  }

  async function handleResume(c: TenantContext): Promise<Response> {
    const rejection = await checkCreate(c) ?? checkLoad(c) ??
      await checkResume(c, parseOptions) ?? checkRunId(c);
    return rejection ?? respondToResume(c, deps);
  }

  return new Hono<Env>()
    .post("/v1/tenants/:tenantId/support-requests", handleSubmission)
    .post("/v1/tenants/:tenantId/runs/:runId/support-requests", handleSubmission)
    .get("/v1/tenants/:tenantId/support-requests/latest", handleLatest)
    .get("/v1/tenants/:tenantId/runs/:runId/support-requests/latest", handleLatest)
    .post("/v1/tenants/:tenantId/support-requests/latest/resume", handleResume)
    .post("/v1/tenants/:tenantId/runs/:runId/support-requests/latest/resume", handleResume);
}

async function respondToSubmission(
  c: Context<Env>,
  deps: Dependencies,
  submission: Submission,
): Promise<Response> {
  const idempotencyKey = await resolveIdempotencyKey(c, deps);
  c.set("stored", "unknown");
  let prepared: { request: SupportRequest; response: Response } | undefined;
  const result = await submit(deps, {
    context: supportContextOf(c),
    actor: c.get("actor"),
    requestorEmail: c.get("requestorEmail"),
    submission,
    idempotencyKey,
    requestId: c.get("requestId"),
    onStoring(request) {
      if (request.handoff.status === "pending") return;
      prepared = { request, response: createJsonResponse(c, toResponse(request), 201) };
    },
  });
  switch (result.outcome) {
    case "submitted": {
      if (result.request === prepared?.request) return prepared.response;
      const headers = result.replayed ? { "Idempotent-Replayed": "true" } : undefined;
      return createJsonResponse(c, toResponse(result.request), 201, headers);
    }
    case "not_a_ticket":
      c.set("stored", "no");
      return validationProblem(c, "body", [
        { pointer: pointer(["handoff", "ticket"]), detail: ticketRule(deps) },
      ]);
    case "key_reused":
      c.set("stored", "no");
      return problem(
        c,
        "idempotency-key-reused",
        "Nothing was stored. Use a new key for a different submission",
      );
    case "in_progress": {
      c.set("stored", "yes");
      const seconds = String(result.retryAfterSeconds);
      return problem(c, "idempotency-in-progress", `Retry with the same key in ${seconds} s`, {
        headers: { "Retry-After": seconds },
      });
    }
  }
}

/**
 * Returns the idempotency key, or the header including its quotes if version 1 stored a request under
 * that. Otherwise a retry that reaches this version would create a second ticket.
 */
async function resolveIdempotencyKey(
  c: Context<Env>,
  { store }: Dependencies,
): Promise<string | undefined> {
  const key = c.get("idempotencyKey");
  const header = c.req.header("Idempotency-Key");
  if (key === header || header === undefined || !IDEMPOTENCY_KEY.test(header)) return key;
  const scope = { tenantId: c.get("tenantId"), actorId: c.get("actor").id, key: header };
  return (await store.findKey(scope)).outcome === "free" ? key : header;
}

async function respondToResume(c: Context<Env>, deps: Dependencies): Promise<Response> {
  const result = await resumeLatest(deps, {
    context: supportContextOf(c),
    actor: c.get("actor"),
    requestId: c.get("requestId"),
  });
  switch (result.outcome) {
    case "done":
      return createJsonResponse(c, toResponse(result.request), 200);
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
    ? "cannot be linked: no support desk is configured"
    : `must be a ticket number or the URL of a ticket at ${desk.label}`;
}

async function respondWithLatest(
  c: Context<Env>,
  deps: Dependencies,
  serialize: ReturnType<typeof createSummarySerializer>,
): Promise<Response> {
  const { text, tag } = serialize(await getLatest(deps, supportContextOf(c)));
  const headers = {
    "Cache-Control": "private, no-cache",
    "ETag": tag,
    "Vary": "Authorization",
  };
  if (matchesIfNoneMatch(c.req.header("If-None-Match"), tag)) {
    return createResponse(c, null, 304, headers);
  }
  return createResponse(c, text, 200, { ...headers, "Content-Type": "application/json" });
}
