import type { Context as HonoContext } from "hono";
import { createMiddleware } from "hono/factory";
import { type Context, RunId } from "../domain/context.ts";
import type { Env } from "./env.ts";
import { problem } from "./problems.ts";
import { pointer } from "./validation.ts";

/** Refuses a run id that could not be one. The tenant id was in a token, so it is one. */
export const validRun = createMiddleware<Env>(async (c, next) => {
  const runId = c.req.param("runId");
  const parsed = RunId.optional().safeParse(runId);
  if (!parsed.success) {
    return problem(c, "validation", "The run id in the path is not valid", {
      errors: parsed.error.issues.map(({ message }) => ({
        pointer: pointer(["runId"]),
        detail: message,
      })),
    });
  }
  await next();
});

/** The context that the path names, once `whoMay` and {@linkcode validRun} let it through. */
export function contextOf(c: HonoContext<Env>): Context {
  const tenantId = c.get("tenantId");
  const runId = c.req.param("runId");
  return runId === undefined ? { kind: "tenant", tenantId } : { kind: "run", tenantId, runId };
}
