import { IDEMPOTENCY_KEY } from "../../domain/model/idempotency.ts";
import type { ProblemSlug } from "../http/problems.ts";
import { schemaRef } from "./components.ts";
import { CONTEXT_SUMMARY, RESUMED, SUBMISSIONS, SUPPORT_REQUESTS } from "./examples.ts";
import {
  AUTHENTICATION_PROBLEMS,
  type ContextKind,
  pathParameters,
  requiresScope,
} from "./operation.ts";
import { problemResponses } from "./problem_responses.ts";
import { headerRefs } from "./response_headers.ts";
import type { Operation } from "./types.ts";

const ID_SUFFIXES: Record<ContextKind, string> = { tenant: "InTenant", run: "InRun" };

/** The problems of a body, before it is validated. */
const BODY_PROBLEMS: readonly ProblemSlug[] = [
  "not-json",
  "encoded-body",
  "body-timeout",
  "body-too-large",
  "malformed-json",
];

/** `POST …/support-requests` */
export function submit(kind: ContextKind): Operation {
  return {
    operationId: `submit${ID_SUFFIXES[kind]}`,
    tags: ["Support requests"],
    summary: `Submit a support request in a ${kind}'s context`,
    description:
      "Stores the request, then hands it off to the desk if requested. A failure of the desk is not " +
      "an HTTP error: the response is 201 with `handoff.status` `failed`. " +
      requiresScope("support_requests:create"),
    parameters: [...pathParameters(kind), {
      name: "Idempotency-Key",
      in: "header",
      required: false,
      description:
        "For example a UUID. Makes it safe to retry the same submission for 24 hours, for example " +
        "after its response was lost. A key in quotes (a structured-field string) is the same key",
      // No example: Swagger UI would send it with every submission.
      schema: { type: "string", minLength: 1, maxLength: 255, pattern: IDEMPOTENCY_KEY.source },
    }],
    requestBody: {
      required: true,
      content: { "application/json": { schema: schemaRef("Submission"), examples: SUBMISSIONS } },
    },
    responses: {
      "201": {
        description: "The stored support request and the state of its handoff",
        headers: headerRefs(["Idempotent-Replayed"]),
        content: {
          "application/json": { schema: schemaRef("SupportRequest"), examples: SUPPORT_REQUESTS },
        },
      },
      ...problemResponses([
        ...AUTHENTICATION_PROBLEMS,
        "rate-limited",
        "invalid-idempotency-key",
        ...BODY_PROBLEMS,
        "validation",
        "idempotency-key-reused",
        "idempotency-in-progress",
        "overloaded",
        "store-unavailable",
        "internal",
      ]),
    },
  };
}

/** `GET …/support-requests/latest` */
export function latest(kind: ContextKind): Operation {
  return {
    operationId: `latest${ID_SUFFIXES[kind]}`,
    tags: ["Support requests"],
    summary: `Read the latest support request of a ${kind}'s context`,
    description: 'Everything a "Request support" panel needs when it opens. ' +
      requiresScope("support_requests:read"),
    parameters: [...pathParameters(kind), {
      name: "If-None-Match",
      in: "header",
      required: false,
      description: "The `ETag` of an earlier response",
      schema: { type: "string" },
    }],
    responses: {
      "200": {
        description: "The summary of the context",
        headers: headerRefs(["ETag"]),
        content: {
          "application/json": { schema: schemaRef("ContextSummary"), example: CONTEXT_SUMMARY },
        },
      },
      "304": {
        description: "The summary has not changed",
        headers: headerRefs(["ETag"]),
      },
      ...problemResponses([
        ...AUTHENTICATION_PROBLEMS,
        ...(kind === "run" ? ["validation"] as const : []),
        "store-unavailable",
        "internal",
      ]),
    },
  };
}

/** `POST …/support-requests/latest/resume` */
export function resume(kind: ContextKind): Operation {
  return {
    operationId: `resumeLatest${ID_SUFFIXES[kind]}`,
    tags: ["Support requests"],
    summary: `Resume the interrupted handoff of the latest support request of a ${kind}'s context`,
    description:
      "Searches the desk for the ticket, and creates one only if it is clearly absent. " +
      "A request whose handoff was not interrupted is returned unchanged. Concurrent calls create " +
      "only one ticket. Each call counts against the rate limit like a submission. " +
      requiresScope("support_requests:create"),
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
        ...AUTHENTICATION_PROBLEMS,
        "rate-limited",
        ...BODY_PROBLEMS,
        ...(kind === "run" ? ["validation"] as const : []),
        "handoff-in-progress",
        "overloaded",
        "store-unavailable",
        "internal",
      ]),
    },
  };
}
