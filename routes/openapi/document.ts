import { listAuditEvents } from "./audit_event_operations.ts";
import { componentSchemas } from "./components.ts";
import { isLive, isReady } from "./health_operations.ts";
import { problemExamples } from "./problem_responses.ts";
import { HEADERS } from "./response_headers.ts";
import { latest, resume, submit } from "./support_request_operations.ts";
import type { OpenApiDocument } from "./types.ts";

const IN_TENANT = "/v1/tenants/{tenantId}/support-requests";
const IN_RUN = "/v1/tenants/{tenantId}/runs/{runId}/support-requests";

const INFO = {
  title: "Deskhand",
  description: "Stores support requests and hands them off to a support desk.",
  contact: { name: "The operator of this service" },
  license: { name: "MIT", identifier: "MIT" },
};

const CONTENT: Omit<OpenApiDocument, "openapi" | "info"> = {
  // Relative to the document (OpenAPI 3.1, 4.8.5.1), so that it is correct behind a path prefix.
  servers: [{ url: ".", description: "This service" }],
  security: [{ token: [] }],
  tags: [
    {
      name: "Support requests",
      description: "Submit requests, and read or resume the latest of a context",
    },
    { name: "Audit", description: "Every change to a tenant's support requests" },
    { name: "Health", description: "For load balancers and operators" },
  ],
  paths: {
    [IN_TENANT]: { post: submit("tenant") },
    [`${IN_TENANT}/latest`]: { get: latest("tenant") },
    [`${IN_TENANT}/latest/resume`]: { post: resume("tenant") },
    [IN_RUN]: { post: submit("run") },
    [`${IN_RUN}/latest`]: { get: latest("run") },
    [`${IN_RUN}/latest/resume`]: { post: resume("run") },
    "/v1/tenants/{tenantId}/audit-events": { get: listAuditEvents() },
    "/livez": { get: isLive() },
    "/readyz": { get: isReady() },
  },
  components: {
    securitySchemes: {
      token: {
        type: "http",
        scheme: "bearer",
        bearerFormat: "JWT",
        description:
          "Issued by your backend or identity provider. Claims: `sub`, `exp`, the tenants and the " +
          "scopes (by default `tenants` and `scope`, each an array or a space-separated string), and " +
          "optionally `name` and `email`.",
      },
    },
    schemas: componentSchemas(),
    headers: HEADERS,
    examples: problemExamples(),
  },
};

/**
 * Returns the OpenAPI 3.1 document of the API, generated from the zod schemas that validate requests.
 * `version` is that of the service.
 */
export function openApiDocument(version: string): OpenApiDocument {
  return { openapi: "3.1.1", info: { ...INFO, version }, ...CONTENT };
}
