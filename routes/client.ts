/**
 * A typed client for frontends in TypeScript: of the service itself nothing but types is imported,
 * and nothing of it is bundled.
 */
import { type ApplyGlobalResponse, hc } from "hono/client";
import type { auditEventRoutes } from "./v1/audit_events.ts";
import type { Problem, PROBLEMS, ProblemSlug } from "./http/problems.ts";
import type { supportRequestRoutes } from "./v1/support_requests.ts";

/** Not the whole app's type: it loads files as text, which only Deno's compiler understands. */
type ApiRoutes = ReturnType<typeof supportRequestRoutes> | ReturnType<typeof auditEventRoutes>;

type ProblemStatus = (typeof PROBLEMS)[ProblemSlug][0];

/**
 * What can be called, with what, and what is answered. Any call may be refused with any
 * {@linkcode Problem}, most of them by what is asked before the call's own code runs.
 */
export type AppType = ApplyGlobalResponse<
  ApiRoutes,
  { [Status in ProblemStatus]: { json: Problem } }
>;

export type {
  AuditEventsResponse,
  ContextSummaryResponse,
  SupportRequestResponse,
} from "./v1/responses.ts";
export type { Problem, ProblemSlug };

export interface ClientOptions {
  /** The service's address. */
  url: string;
  /** Gives a token of the product's own backend. It is asked before every call. */
  getToken(): string | Promise<string>;
  fetch?: typeof fetch;
}

/** Calls the service with a token. */
export function createClient({ url, getToken, fetch }: ClientOptions) {
  return hc<AppType>(url, {
    ...fetch && { fetch },
    headers: async () => ({ Authorization: `Bearer ${await getToken()}` }),
  });
}

/**
 * Returns the slug that a problem's `type` ends in: `validation`. Compare it rather than `type`, which
 * starts with the service's public URL where one is configured. A proxy's own errors may have another.
 */
export function problemSlug({ type }: Problem): ProblemSlug {
  return type.slice(type.lastIndexOf("/") + 1) as ProblemSlug;
}
