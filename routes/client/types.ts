/**
 * The types of the HTTP API, version 1, written out so that this package depends on nothing.
 * `tests/client/types_test.ts` checks that they match the schemas of the service.
 *
 * Responses may gain fields, and enumerations may gain values, within version 1.
 */

/** What a support request belongs to: a tenant, or one run of a tenant. */
export type Context = TenantContext | RunContext;

export interface TenantContext {
  kind: "tenant";
  tenantId: string;
}

export interface RunContext {
  kind: "run";
  tenantId: string;
  /** Unique within the tenant only. */
  runId: string;
}

export type Severity = "low" | "normal" | "high" | "critical";

export type HandoffMode = "none" | "create" | "link";

/** What happens to the request at the desk. */
export type HandoffChoice =
  /** Nothing: it is only stored. */
  | { mode: "none" }
  /** A ticket is created. */
  | { mode: "create" }
  /** It is linked to an existing ticket: `42`, `#42` or the URL of a ticket at the desk. */
  | { mode: "link"; ticket: string };

/** The body of a submission. Unknown fields are rejected; `null` and empty text mean absent. */
export interface Submission {
  /** One line of at most 200 characters. */
  summary: string;
  /** At most 8,000 characters. */
  description?: string | null;
  /** `normal` by default. */
  severity?: Severity | null;
  contact?: { name?: string | null; email?: string | null } | null;
  /** What the product knows about the situation. Values that are too long are truncated. */
  diagnostics?: Record<string, string | number | boolean | null> | null;
  /** `{ mode: "none" }` by default. */
  handoff?: HandoffChoice | null;
}

export interface Actor {
  id: string;
  name?: string;
}

export interface Ticket {
  /** The ticket number. */
  reference: string;
  url: string;
}

export type FailureReason =
  | "desk_not_configured"
  | "desk_unavailable"
  | "desk_unreachable"
  | "desk_timeout"
  | "desk_connection_lost"
  | "desk_refused_credentials"
  | "desk_rejected"
  | "desk_rate_limited"
  | "desk_error"
  | "desk_unreadable"
  | "interrupted";

/** The status of a request at the desk. Times are ISO 8601 in UTC. */
export type Handoff =
  | { status: "none" }
  | { status: "pending"; since: string }
  | { status: "created"; ticket: Ticket; at: string }
  | { status: "linked"; ticket: Ticket; at: string }
  | {
    status: "failed";
    reason: FailureReason;
    /** One sentence to show to the person, in English. */
    summary: string;
    /** Whether a ticket may exist nevertheless. */
    ticketMayExist: boolean;
    at: string;
  };

export interface SupportRequest {
  /** `SR-` and a ULID. */
  reference: string;
  context: Context;
  summary: string;
  severity: Severity;
  createdAt: string;
  createdBy: Actor;
  handoff: Handoff;
}

/** Everything that a support panel needs when it opens. */
export interface ContextSummary {
  /** Null if no desk is configured. */
  desk: { label: string } | null;
  handoffModes: HandoffMode[];
  /** The latest request of the context. */
  supportRequest: SupportRequest | null;
}

export interface AuditEvent {
  event: "request.submitted" | "handoff.created" | "handoff.failed" | "handoff.superseded";
  at: string;
  reference: string;
  context: Context;
  actor: Actor;
  handoff: Handoff;
}

/** Records of the tenant that an operator has deleted. */
export interface Erasure {
  event: "tenant.erased" | "actor.erased";
  at: string;
  deleted: {
    supportRequests: number;
    auditEvents: number;
    idempotencyKeys: number;
    leases: number;
    rateCounters: number;
  };
  anonymizedAuditEvents: number;
}

/** One page of a tenant's audit events, newest first. */
export interface AuditEvents {
  events: AuditEvent[];
  /** On the first page, if there were any. */
  erasures?: Erasure[];
  /** Null on the last page. */
  nextCursor: string | null;
}

/** The last segment of a problem's `type`. */
export type ProblemSlug =
  | "unauthenticated"
  | "insufficient-scope"
  | "not-found"
  | "method-not-allowed"
  | "idempotency-in-progress"
  | "handoff-in-progress"
  | "body-timeout"
  | "body-too-large"
  | "not-json"
  | "encoded-body"
  | "malformed-request"
  | "malformed-json"
  | "invalid-idempotency-key"
  | "validation"
  | "idempotency-key-reused"
  | "rate-limited"
  | "internal"
  | "store-unavailable"
  | "overloaded"
  | "keys-unavailable";

/**
 * Whether the support request of a failed submission is stored: `no`, `yes` (by an earlier call with
 * the same idempotency key), or `unknown`.
 */
export type Stored = "no" | "yes" | "unknown";

/** An error response (RFC 9457). */
export interface Problem {
  type: string;
  title: string;
  status: number;
  /** What to do about it, in English. */
  detail: string;
  /** Include it when you report the problem to the operator of the service. */
  requestId: string;
  /** Only in responses to a submission. Of this response alone: see `stored` of the error. */
  stored?: Stored;
  /** Only for `validation`: each invalid field, as a JSON Pointer, and what is wrong with it. */
  errors?: FieldError[];
}

export interface FieldError {
  pointer: string;
  detail: string;
}
