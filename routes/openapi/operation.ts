/** What the operations of the API have in common. */
import * as z from "zod";
import { RunId, type SupportContext, TenantId } from "../../domain/model/context.ts";
import type { Scope } from "../auth/require_scope.ts";
import type { ProblemSlug } from "../http/problems.ts";
import type { Parameter } from "./types.ts";

export type ContextKind = SupportContext["kind"];

/** The problems of every operation that requires a token, before its own code runs. */
export const AUTHENTICATION_PROBLEMS: readonly ProblemSlug[] = [
  "malformed-request",
  "unauthenticated",
  "not-found",
  "insufficient-scope",
  "keys-unavailable",
];

/** Returns the sentence that names the scope of an operation. */
export function requiresScope(scope: Scope): string {
  return `Requires the scope \`${scope}\`.`;
}

/** Returns the parameters in the path of a context. */
export function pathParameters(kind: ContextKind): Parameter[] {
  const tenantId = pathParameter("tenantId", TenantId, "acme");
  return kind === "tenant" ? [tenantId] : [tenantId, pathParameter("runId", RunId, "r-1")];
}

function pathParameter(name: string, idSchema: z.ZodType, example: string): Parameter {
  const { $schema: _, ...schema } = z.toJSONSchema(idSchema);
  return { name, in: "path", required: true, schema, example };
}
