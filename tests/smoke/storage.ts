/** Checks that support requests are stored, once, in their own context. */
import { ContextSummary, SupportRequest } from "../../routes/v1/responses.ts";
import { isSafeInTransit } from "../../config/http_hosts.ts";
import { bodyOf, problemOf, requestsPath, statusOf } from "./call.ts";
import { explainResult } from "./explanations.ts";
import { failed, type Finding, ok, skipped, type Smoke } from "./finding.ts";

export const SUBMISSION = {
  summary: "Smoke test of Deskhand, please ignore",
  description: "An operator submitted this to check that Deskhand works. Nothing is wrong.",
  severity: "low",
};

export async function isEmpty(smoke: Smoke): Promise<Finding> {
  const result = await smoke.call(`${requestsPath(smoke.target)}/latest`);
  const summary = bodyOf(result, 200, ContextSummary);
  if (summary === null) return failed(await explainResult(result, smoke));
  smoke.summary = summary;
  return summary.supportRequest === null ? ok() : failed(
    "A run that was never used has a request: contexts are mixed up",
    "Report this as a bug",
  );
}

export async function storesRequest(smoke: Smoke): Promise<Finding> {
  const { call, target } = smoke;
  const idempotencyKey = target.runId;
  const result = await call(requestsPath(target), { json: SUBMISSION, idempotencyKey });
  const request = bodyOf(result, 201, SupportRequest);
  if (request === null) return failed(await explainResult(result, smoke));
  const { context, summary } = request;
  const isSame = context.kind === "run" && context.tenantId === target.tenantId &&
    context.runId === target.runId && summary === SUBMISSION.summary;
  if (!isSame) {
    return failed("The response is not the request that was submitted", "Report this as a bug");
  }
  smoke.stored = request;
  return ok(request.reference);
}

export async function replaysRetry(smoke: Smoke): Promise<Finding> {
  const { call, target, stored } = smoke;
  const idempotencyKey = target.runId;
  const result = await call(requestsPath(target), { json: SUBMISSION, idempotencyKey });
  const request = bodyOf(result, 201, SupportRequest);
  if (request === null || result.outcome === "no_response") {
    return failed(await explainResult(result, smoke));
  }
  if (request.reference !== stored?.reference) {
    return failed(
      `A retry with the same key was stored twice, as ${stored?.reference} and ${request.reference}`,
      "Check that proxies in front of Deskhand pass the header Idempotency-Key on",
    );
  }
  return result.headers.get("Idempotent-Replayed") === "true" ? ok() : failed(
    "The response lacks the header Idempotent-Replayed",
    "Check that proxies in front of Deskhand pass response headers on",
  );
}

export async function rejectsKeyReuse(smoke: Smoke): Promise<Finding> {
  const { call, target } = smoke;
  const json = { ...SUBMISSION, severity: "normal" };
  const result = await call(requestsPath(target), { json, idempotencyKey: target.runId });
  const isRejected = statusOf(result) === 422 && problemOf(result) === "idempotency-key-reused";
  return isRejected ? ok() : failed(await explainResult(result, smoke));
}

export async function showsLatest(smoke: Smoke): Promise<Finding> {
  const result = await smoke.call(`${requestsPath(smoke.target)}/latest`);
  const summary = bodyOf(result, 200, ContextSummary);
  if (summary === null) return failed(await explainResult(result, smoke));
  const { stored } = smoke;
  return summary.supportRequest?.reference === stored?.reference ? ok() : failed(
    `The latest request is ${
      summary.supportRequest?.reference ?? "none"
    } instead of ${stored?.reference}`,
    "Check that no proxy in front of Deskhand caches responses",
  );
}

/** Reads the stored request through `PUBLIC_URL`, which shows that it leads to this Deskhand. */
export async function checkPublicUrl(smoke: Smoke): Promise<Finding> {
  const { call, target, settings, stored } = smoke;
  const { publicUrl } = settings;
  if (publicUrl === undefined || publicUrl === target.url) {
    return ok(publicUrl === undefined ? "not set" : undefined);
  }
  if (!isSafeInTransit(publicUrl, settings.allowHttpHosts)) {
    return skipped(`The token is not sent to ${publicUrl}, because it is plain http`);
  }
  const result = await call(`${requestsPath(target)}/latest`, { baseUrl: publicUrl });
  if (result.outcome === "no_response") return failed(result.problem);
  const summary = bodyOf(result, 200, ContextSummary);
  return summary?.supportRequest?.reference === stored?.reference ? ok() : failed(
    `Another service or another Deskhand responds there, with ${result.status} ` +
      `(PUBLIC_URL is ${publicUrl})`,
    "Correct PUBLIC_URL, or the proxy that leads from there to Deskhand",
  );
}
