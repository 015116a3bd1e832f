import type { ProblemSlug } from "../http/problems.ts";
import { schemaRef } from "./components.ts";
import { problemResponses } from "./problem_responses.ts";
import { headerRefs } from "./response_headers.ts";
import type { Operation } from "./types.ts";

/** `GET /livez` */
export function isLive(): Operation {
  return probe("isLive", "Liveness probe: the process runs", {
    status: "live",
    version: "2.0.0",
  });
}

/** `GET /readyz` */
export function isReady(): Operation {
  return probe("isReady", "Readiness probe: the store accepts writes", { status: "ready" }, [
    "store-unavailable",
  ]);
}

function probe(
  operationId: string,
  summary: string,
  example: { status: string; version?: string },
  problems: ProblemSlug[] = [],
): Operation {
  return {
    operationId,
    tags: ["Health"],
    summary,
    description: "Does not require a token.",
    security: [],
    responses: {
      "200": {
        description: `The service is ${example.status}`,
        headers: headerRefs(),
        content: { "application/json": { schema: schemaRef("Health"), example } },
      },
      ...problemResponses(["malformed-request", ...problems]),
    },
  };
}
