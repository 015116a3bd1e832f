/** Checks that Deskhand responds, and admits the callers that it should, and no others. */
import * as z from "zod";
import { type CallResult, endpointOf, problemOf, requestsPath, statusOf } from "./call.ts";
import { clockSkew, describeSkew } from "./clock.ts";
import { explainResult } from "./explanations.ts";
import { failed, type Finding, ok, type Smoke } from "./finding.ts";
import { describeSetting } from "./network.ts";

/** How far the clocks of the token issuer and of Deskhand may differ, in seconds. */
const MAX_CLOCK_SKEW_SECONDS = 5;

const Live = z.object({ status: z.literal("live") });

export async function checkLive(smoke: Smoke): Promise<Finding> {
  const result = await smoke.call("/livez", { token: null });
  if (statusOf(result) !== 200 || result.outcome !== "response") {
    return failed(await explainResult(result, smoke));
  }
  if (Live.safeParse(result.json).success) return ok();
  const endpoint = endpointOf(smoke.target);
  return failed(
    `Another service responds there: its /livez is not Deskhand's (${describeSetting(endpoint)})`,
    `Correct the address and port in ${endpoint.setting}`,
  );
}

export async function checkReady(smoke: Smoke): Promise<Finding> {
  const result = await smoke.call("/readyz", { token: null });
  return statusOf(result) === 200 ? ok() : failed(await explainResult(result, smoke));
}

/** Tokens expire by Deskhand's clock. */
export async function checkClock(smoke: Smoke): Promise<Finding> {
  const result = await smoke.call("/livez", { token: null });
  if (result.outcome === "no_response") return failed(result.problem);
  const seconds = clockSkew(result.headers, result.sentAt, result.receivedAt);
  if (seconds === null) return ok("no header Date");
  if (Math.abs(seconds) <= MAX_CLOCK_SKEW_SECONDS) {
    return ok(seconds === 0 ? undefined : `${describeSkew(seconds)} this machine's`);
  }
  return failed(
    `Deskhand's clock is ${describeSkew(seconds)} this machine's. Tokens are accepted with a ` +
      `tolerance of ${MAX_CLOCK_SKEW_SECONDS} s`,
    "Set the clocks of both machines by NTP",
  );
}

export async function rejectsMissingToken({ call, target }: Smoke): Promise<Finding> {
  return rejection(await call(`${requestsPath(target)}/latest`, { token: null }));
}

/** A service that trusts a token before it verifies the signature would accept this one. */
export async function rejectsUnsignedToken({ call, target }: Smoke): Promise<Finding> {
  const token = unsignedToken({
    sub: "smoke",
    exp: Math.floor(Date.now() / 1000) + 60,
    tenants: [target.tenantId],
    scope: "support_requests:create support_requests:read",
  });
  return rejection(await call(`${requestsPath(target)}/latest`, { token }));
}

function unsignedToken(payload: unknown): string {
  const encode = (json: unknown) => btoa(JSON.stringify(json)).replace(/=+$/, "");
  return `${encode({ alg: "none", typ: "JWT" })}.${encode(payload)}.`;
}

function rejection(result: CallResult): Finding {
  if (result.outcome === "no_response") return failed(result.problem);
  if (result.status !== 401) {
    return failed(
      `The status is ${result.status} instead of 401`,
      "Check that proxies in front of Deskhand pass the header Authorization on unchanged, and " +
        "add no token",
    );
  }
  return /^Bearer\b/i.test(result.headers.get("WWW-Authenticate") ?? "") ? ok() : failed(
    "The 401 lacks the header 'WWW-Authenticate: Bearer'",
    "Check that proxies in front of Deskhand pass response headers on",
  );
}

/** A token without the scope is accepted, too. */
export async function acceptsToken(smoke: Smoke): Promise<Finding> {
  const result = await smoke.call(`${requestsPath(smoke.target)}/latest`);
  return statusOf(result) === 200 || isForbidden(result)
    ? ok()
    : failed(await explainResult(result, smoke));
}

export async function rejectsOtherTenant({ call, target: { runId } }: Smoke): Promise<Finding> {
  const result = await call(`/v1/tenants/${runId}/support-requests/latest`);
  if (result.outcome === "no_response") return failed(result.problem);
  return result.status === 404 ? ok() : failed(
    `The status is ${result.status} instead of 404 for the tenant ${runId}, which does not exist`,
    "Check any proxy in front of Deskhand. If there is none, report this as a bug",
  );
}

export async function checkScopes(smoke: Smoke): Promise<Finding> {
  const path = requestsPath(smoke.target);
  const read = await smoke.call(`${path}/latest`);
  // Nothing is stored without a body: a caller that may submit gets 415.
  const create = await smoke.call(path, { method: "POST" });
  const missing = [
    ...isForbidden(create) ? ["support_requests:create"] : [],
    ...isForbidden(read) ? ["support_requests:read"] : [],
  ];
  if (missing.length > 0) {
    const scopes = missing.join(" and ");
    return failed(`The token lacks ${scopes} (403)`, `Have it issued with ${scopes} in its scope`);
  }
  if (statusOf(read) !== 200) return failed(await explainResult(read, smoke));
  return statusOf(create) === 415 ? ok() : failed(await explainResult(create, smoke));
}

function isForbidden(result: CallResult): boolean {
  return problemOf(result) === "insufficient-scope";
}
