import { z } from "zod";
import { RunId, TenantId } from "../../domain/model/context.ts";
import { IDEMPOTENCY_KEY } from "../../domain/model/idempotency.ts";
import { CURSOR } from "../v1/audit_events.ts";
import type { ProblemSlug } from "../http/problems.ts";
import type { Scope } from "../auth/require_scope.ts";
import { schemaRef } from "./components.ts";
import {
  AUDIT_EVENTS,
  CONTEXT_SUMMARY,
  RESUMED,
  SUBMISSIONS,
  SUPPORT_REQUESTS,
} from "./examples.ts";
import { headerRefs } from "./response_headers.ts";
import { problemResponses } from "./problem_responses.ts";

type ContextKind = "tenant" | "run";

const NAMES = { tenant: "InTenant", run: "InRun" };

const REFUSED: ProblemSlug[] = [
  "malformed-request",
  "unauthenticated",
  "not-found",
  "insufficient-scope",
  "keys-unavailable",
];

/** `POST …/support-requests` */
export function submit(kind: ContextKind) {
  return {
    operationId: `submit${NAMES[kind]}`,
    tags: ["Support requests"],
    summary: `Submit a support request in a ${kind}'s context`,
    description:
      "Keeps the request, then hands it off if asked. A desk that fails is not an HTTP error: the " +
      "answer is 201 with `handoff.status` `failed`. " + needs("support_requests:create"),
    parameters: [...pathParameters(kind), {
      name: "Idempotency-Key",
      in: "header",
      required: false,
      description:
        "A UUID, for example. Makes repeating the same submission safe for 24 hours, also after an " +
        "response was lost. A key in quotes (a structured-field string) is the same key",
      // No example of its own: the page to try it would send it with every submission.
      schema: { type: "string", minLength: 1, maxLength: 255, pattern: IDEMPOTENCY_KEY.source },
    }],
    requestBody: {
      required: true,
      content: { "application/json": { schema: schemaRef("Submission"), examples: SUBMISSIONS } },
    },
    responses: {
      "201": {
        description: "The support request, kept, with what became of it at the desk",
        headers: headerRefs(["Idempotent-Replayed"]),
        content: {
          "application/json": { schema: schemaRef("SupportRequest"), examples: SUPPORT_REQUESTS },
        },
      },
      ...problemResponses([
        ...REFUSED,
        "rate-limited",
        "invalid-idempotency-key",
        "not-json",
        "encoded-body",
        "body-timeout",
        "body-too-large",
        "malformed-json",
        "validation",
        "idempotency-key-reused",
        "idempotency-in-progress",
        "store-unavailable",
        "internal",
      ]),
    },
  };
}

/** `GET …/support-requests/latest` */
export function latest(kind: ContextKind) {
  return {
    operationId: `latest${NAMES[kind]}`,
    tags: ["Support requests"],
    summary: `Read the latest support request of a ${kind}'s context`,
    description: 'All that a "Request support" panel needs when it opens. ' +
      needs("support_requests:read"),
    parameters: [...pathParameters(kind), {
      name: "If-None-Match",
      in: "header",
      required: false,
      description: "The `ETag` of an earlier answer",
      schema: { type: "string" },
    }],
    responses: {
      "200": {
        description: "The context's summary",
        headers: headerRefs(["ETag"]),
        content: {
          "application/json": { schema: schemaRef("ContextSummary"), example: CONTEXT_SUMMARY },
        },
      },
      "304": {
        description: "Nothing in the summary has changed",
        headers: headerRefs(["ETag"]),
      },
      ...problemResponses([
        ...REFUSED,
        ...(kind === "run" ? ["validation"] as const : []),
        "store-unavailable",
        "internal",
      ]),
    },
  };
}

/** `POST …/support-requests/latest/resume` */
export function resume(kind: ContextKind) {
  return {
    operationId: `resumeLatest${NAMES[kind]}`,
    tags: ["Support requests"],
    summary: `Resume the interrupted handoff of the latest support request of a ${kind}'s context`,
    description:
      "Searches the desk for the ticket, and creates one only if it is clearly absent. " +
      "A request whose handoff was not interrupted is returned unchanged. Any number of calls at " +
      "once create one ticket. Each counts against the rate limit like a submission. " +
      needs("support_requests:create"),
    parameters: pathParameters(kind),
    responses: {
      "200": {
        description: "The support request, resumed if its handoff was interrupted",
        headers: headerRefs(),
        content: {
          "application/json": { schema: schemaRef("SupportRequest"), examples: RESUMED },
        },
      },
      ...problemResponses([
        ...REFUSED,
        "rate-limited",
        "not-json",
        "encoded-body",
        "body-timeout",
        "body-too-large",
        "malformed-json",
        ...(kind === "run" ? ["validation"] as const : []),
        "handoff-in-progress",
        "store-unavailable",
        "internal",
      ]),
    },
  };
}

/** `GET …/audit-events` */
export function auditEvents() {
  return {
    operationId: "listAuditEvents",
    tags: ["Audit"],
    summary: "List a tenant's audit events, newest first",
    description: needs("audit:read"),
    parameters: [
      ...pathParameters("tenant"),
      {
        name: "limit",
        in: "query",
        required: false,
        schema: { type: "integer", minimum: 1, maximum: 100, default: 50 },
      },
      {
        name: "cursor",
        in: "query",
        required: false,
        description: "The `nextCursor` of the page before",
        schema: { type: "string", pattern: CURSOR.source },
      },
    ],
    responses: {
      "200": {
        description: "A page of audit events",
        headers: headerRefs(),
        content: {
          "application/json": { schema: schemaRef("AuditEvents"), example: AUDIT_EVENTS },
        },
      },
      ...problemResponses([...REFUSED, "validation", "store-unavailable", "internal"]),
    },
  };
}

/** `GET /livez` and `GET /readyz` */
export function health(status: "live" | "ready", summary: string, problems: ProblemSlug[]) {
  const example = status === "live" ? { status, version: "2.0.0" } : { status };
  return {
    operationId: status === "live" ? "isLive" : "isReady",
    tags: ["Health"],
    summary,
    description: "Needs no token.",
    security: [],
    responses: {
      "200": {
        description: "It is so",
        headers: headerRefs(),
        content: { "application/json": { schema: schemaRef("Health"), example } },
      },
      ...problemResponses(["malformed-request", ...problems]),
    },
  };
}

function needs(scope: Scope): string {
  return `Needs the scope \`${scope}\`.`;
}

function pathParameters(kind: ContextKind) {
  const parameter = (name: string, schema: z.ZodType, example: string) => {
    const { $schema: _, ...json } = z.toJSONSchema(schema);
    return { name, in: "path", required: true, schema: json, example };
  };
  const tenantId = parameter("tenantId", TenantId, "acme");
  return kind === "tenant" ? [tenantId] : [tenantId, parameter("runId", RunId, "r-1")];
}
