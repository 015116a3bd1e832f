import { CURSOR } from "../v1/audit_events.ts";
import { schemaRef } from "./components.ts";
import { AUDIT_EVENTS } from "./examples.ts";
import { AUTHENTICATION_PROBLEMS, pathParameters, requiresScope } from "./operation.ts";
import { problemResponses } from "./problem_responses.ts";
import { headerRefs } from "./response_headers.ts";
import type { Operation } from "./types.ts";

/** `GET …/audit-events` */
export function listAuditEvents(): Operation {
  return {
    operationId: "listAuditEvents",
    tags: ["Audit"],
    summary: "List a tenant's audit events, newest first",
    description: requiresScope("audit:read"),
    parameters: [
      ...pathParameters("tenant"),
      {
        name: "limit",
        in: "query",
        required: false,
        description: "The maximum number of events on the page",
        schema: { type: "integer", minimum: 1, maximum: 100, default: 50 },
      },
      {
        name: "cursor",
        in: "query",
        required: false,
        description: "The `nextCursor` of the previous page",
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
      ...problemResponses([
        ...AUTHENTICATION_PROBLEMS,
        "validation",
        "store-unavailable",
        "internal",
      ]),
    },
  };
}
