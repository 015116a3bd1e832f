import type { Context } from "hono";
import * as z from "zod";
import { RunId, type SupportContext } from "../../domain/model/context.ts";
import type { Env } from "../http/env.ts";
import { parse, toFieldErrors, validationProblem } from "../http/validation.ts";

const RunParams = z.object({ runId: RunId });

/**
 * Returns the error response to a malformed run ID, or null. The tenant ID has already been matched
 * against the token.
 */
export function checkRunId(c: Context<Env>): Response | null {
  if (c.req.param("runId") === undefined) return null;
  const params = parse(RunParams, c.req.param());
  return params.success ? null : validationProblem(c, "path", toFieldErrors(params.error));
}

/** Returns the context named by the path. Use it after `requireScope` and {@linkcode checkRunId}. */
export function supportContextOf(c: Context<Env>): SupportContext {
  const tenantId = c.get("tenantId");
  const runId = c.req.param("runId");
  return runId === undefined ? { kind: "tenant", tenantId } : { kind: "run", tenantId, runId };
}
