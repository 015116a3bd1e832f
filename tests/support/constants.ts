/** Values that tests of several folders share. */
import type { SupportContext } from "../../domain/model/context.ts";

export const AUTH_SECRET = "a secret for tests, of 32 bytes or more";

/** What a `FakeClock` shows unless a test sets it. */
export const START = Date.parse("2026-11-23T12:00:00.000Z");
export const DAY_MS = 24 * 60 * 60 * 1000;

/** The tenant's own context. */
export const ACME: SupportContext = { kind: "tenant", tenantId: "acme" };

/** The context of a run. */
export function run(runId: string, tenantId = "acme"): SupportContext {
  return { kind: "run", tenantId, runId };
}

/** The path of the support requests of the tenant `acme`, or of one of its runs. */
export function requestsPath(run?: string): string {
  const context = run === undefined ? "/v1/tenants/acme" : `/v1/tenants/acme/runs/${run}`;
  return `${context}/support-requests`;
}

/** The path of the support requests of {@linkcode ACME}. */
export const TENANT = requestsPath();
/** The path of the support requests of the run `r-1`. */
export const RUN = requestsPath("r-1");

/** The environment variables that configure a desk. */
export function deskEnv({ url, token = "demo-token", queue = "Support" }: {
  url: string;
  token?: string;
  queue?: string;
}): Record<string, string> {
  return { SUPPORT_DESK_URL: url, SUPPORT_DESK_TOKEN: token, SUPPORT_DESK_QUEUE: queue };
}
