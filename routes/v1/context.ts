import type { Context as HonoContext } from "hono";
import { createMiddleware } from "hono/factory";
import { z } from "zod";
import { RunId, type SupportContext } from "../../domain/model/context.ts";
import type { Env } from "../http/env.ts";
import { parse, toProblemErrors, validationProblem } from "../http/validation.ts";

const RunParams = z.object({ runId: RunId });

/** Refuses a run id that could not be one. The tenant id was in a token, so it is one. */
export const validateRunId = createMiddleware<Env>((c, next) => {
  const params = parse(RunParams, c.req.param());
  if (params.success) return next();
  return Promise.resolve(validationProblem(c, "path", toProblemErrors(params.error)));
});

/** The context that the path names, once `requireScope` and {@linkcode validateRunId} let it through. */
export function supportContextOf(c: HonoContext<Env>): SupportContext {
  const tenantId = c.get("tenantId");
  const runId = c.req.param("runId");
  return runId === undefined ? { kind: "tenant", tenantId } : { kind: "run", tenantId, runId };
}
