/** What a page passes to the panel and receives from it. */

export type HandoffMode = "none" | "create" | "link";

export type Severity = "low" | "normal" | "high" | "critical";

/** The person who requests support, as far as the page knows them. A known field is shown as text. */
export interface Contact {
  name?: string;
  email?: string;
}

/** A value that support agents see with the request. Objects are sent as JSON. */
export type Diagnostics = Record<string, unknown>;

export interface Ticket {
  reference: string;
  url: string;
}

export type Handoff =
  | { status: "none" }
  | { status: "pending"; since: string }
  | { status: "created" | "linked"; ticket: Ticket; at: string }
  | { status: "failed"; reason: string; summary: string; ticketMayExist: boolean; at: string };

/** A stored support request, as the service returns it. */
export interface SupportRequest {
  reference: string;
  context: { kind: "tenant" | "run"; tenantId: string; runId?: string };
  summary: string;
  severity: Severity;
  createdAt: string;
  createdBy: { id: string; name?: string };
  handoff: Handoff;
}

/** Everything the panel needs when it opens. */
export interface ContextSummary {
  desk: { label: string } | null;
  handoffModes: HandoffMode[];
  supportRequest: SupportRequest | null;
}

/** Why a call to the service failed. Each has its own text. */
export type FailureKind =
  /** The page's mistake: an attribute or `getToken` is missing or invalid. */
  | "setup"
  /** `getToken` failed, was too slow, or returned no token. */
  | "token"
  | "offline"
  | "unreachable"
  | "timeout"
  /** The response is not one of the service's. */
  | "malformed"
  /** 401 */
  | "unauthorized"
  /** 403 */
  | "forbidden"
  /** 404 */
  | "notFound"
  /** 409: the same request is still in progress. */
  | "conflict"
  /** 413 */
  | "tooLarge"
  /** 429 */
  | "rateLimited"
  /** 503: the service is processing too many submissions. Nothing was saved. */
  | "overloaded"
  /** 422 and any other 4xx. */
  | "rejected"
  /** 5xx */
  | "serverError";

/** The detail of the event `support-request-error`. */
export interface SupportRequestFailure {
  kind: FailureKind;
  during: "load" | "submit" | "resume";
  /** The HTTP status, if there was a response. */
  status?: number;
  /** What to mention to the service's operator. */
  requestId?: string | null;
}

/** Returns a token of the page's own backend. Called before every request to the service. */
export type GetToken = () => string | Promise<string>;

export interface SupportRequestEventMap {
  "support-request-open": CustomEvent<null>;
  "support-request-close": CustomEvent<null>;
  "support-request-submitted": CustomEvent<SupportRequest>;
  "support-request-error": CustomEvent<SupportRequestFailure>;
}
