import type { Context, MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";
import * as z from "zod";
import { RunId, type SupportContext } from "../../domain/model/context.ts";
import type { Env } from "../http/env.ts";
import { parse, toFieldErrors, validationProblem } from "../http/validation.ts";

const RunParams = z.object({ runId: RunId });

/** Rejects malformed run IDs. The tenant ID has already been matched against the token. */
export const validateRunId: MiddlewareHandler<Env> = createMiddleware<Env>((c, next) => {
  const params = parse(RunParams, c.req.param());
  if (params.success) return next();
  return Promise.resolve(validationProblem(c, "path", toFieldErrors(params.error)));
});

/** Returns the context named by the path. Use it after `requireScope` and {@linkcode validateRunId}. */
export function supportContextOf(c: Context<Env>): SupportContext {
  const tenantId = c.get("tenantId");
  const runId = c.req.param("runId");
  return runId === undefined ? { kind: "tenant", tenantId } : { kind: "run", tenantId, runId };
}
