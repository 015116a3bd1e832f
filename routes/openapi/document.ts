import { componentSchemas } from "./components.ts";
import { HEADERS } from "./response_headers.ts";
import { auditEvents, health, latest, resume, submit } from "./operations.ts";
import { problemExamples } from "./problem_responses.ts";

const IN_TENANT = "/v1/tenants/{tenantId}/support-requests";
const IN_RUN = "/v1/tenants/{tenantId}/runs/{runId}/support-requests";

const DOCUMENT = {
  openapi: "3.1.1",
  info: {
    title: "Deskhand",
    description:
      "Support requests, kept before anything is sent, and handed to the one support desk.",
    contact: { name: "Whoever runs this service" },
    license: { name: "MIT", identifier: "MIT" },
  },
  // Relative to the document (OpenAPI 3.1, section 4.8.5.1), so that it holds behind a path prefix.
  servers: [{ url: ".", description: "This service" }],
  security: [{ token: [] }],
  tags: [
    { name: "Support requests", description: "Submit, and read the latest of a context" },
    { name: "Audit", description: "Every change of a tenant's support requests" },
    { name: "Health", description: "For load balancers and operators" },
  ],
  paths: {
    [IN_TENANT]: { post: submit("tenant") },
    [`${IN_TENANT}/latest`]: { get: latest("tenant") },
    [`${IN_TENANT}/latest/resume`]: { post: resume("tenant") },
    [IN_RUN]: { post: submit("run") },
    [`${IN_RUN}/latest`]: { get: latest("run") },
    [`${IN_RUN}/latest/resume`]: { post: resume("run") },
    "/v1/tenants/{tenantId}/audit-events": { get: auditEvents() },
    "/livez": { get: health("live", "Whether the process runs", []) },
    "/readyz": {
      get: health("ready", "Whether the service can keep a request", ["store-unavailable"]),
    },
  },
  components: {
    securitySchemes: {
      token: {
        type: "http",
        scheme: "bearer",
        bearerFormat: "JWT",
        description:
          "From the product's own backend or its identity provider. Claims: `sub`, `exp`, " +
          "the tenants and the scopes (by default `tenants` and `scope`, each an array or separated " +
          "by spaces) and optionally `name` and `email`.",
      },
    },
    schemas: componentSchemas(),
    headers: HEADERS,
    examples: problemExamples(),
  },
};

/** Returns the OpenAPI 3.1 document of this version of the service, made from the schemas that parse. */
export function openApiDocument(version: string) {
  return { ...DOCUMENT, info: { ...DOCUMENT.info, version } };
}
