import { createMiddleware } from "hono/factory";
import { routePath } from "hono/route";
import type { Clock, Log } from "../domain/ports.ts";
import type { Env } from "./env.ts";

/** A method is any word, of any length, that a stranger chose. */
const METHOD = /^[A-Z]{1,7}$/;

/** One line for each answer: the route's pattern, never the path that a stranger chose. */
export function accessLog(log: Log, clock: Pick<Clock, "elapsed">) {
  return createMiddleware<Env>(async (c, next) => {
    const started = clock.elapsed();
    await next();
    const tenantId = c.get("tenantId");
    log.info("Answered", {
      requestId: c.get("requestId"),
      ...tenantId !== undefined && { tenantId },
      method: METHOD.test(c.req.method) ? c.req.method : "other",
      route: routePath(c, -1),
      status: c.res.status,
      ms: Math.round(clock.elapsed() - started),
    });
  });
}
