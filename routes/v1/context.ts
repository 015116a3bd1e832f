import type { Context as HonoContext } from "hono";
import { createMiddleware } from "hono/factory";
import { z } from "zod";
import { type Context, RunId } from "../../domain/model/context.ts";
import type { Env } from "../http/env.ts";
import { parse, refuseInvalid, toProblemErrors } from "../http/validation.ts";

const RunParams = z.object({ runId: RunId });

/** Refuses a run id that could not be one. The tenant id was in a token, so it is one. */
export const validRun = createMiddleware<Env>((c, next) => {
  const params = parse(RunParams, c.req.param());
  if (params.success) return next();
  return Promise.resolve(refuseInvalid(c, "path", toProblemErrors(params.error)));
});

/** The context that the path names, once `whoMay` and {@linkcode validRun} let it through. */
export function contextOf(c: HonoContext<Env>): Context {
  const tenantId = c.get("tenantId");
  const runId = c.req.param("runId");
  return runId === undefined ? { kind: "tenant", tenantId } : { kind: "run", tenantId, runId };
}
