import { createMiddleware } from "hono/factory";
import { routePath } from "hono/route";
import type { Deskhand } from "../domain/deskhand.ts";
import type { Env } from "./env.ts";

/** A method is any word, of any length, that a stranger chose. */
const METHOD = /^[A-Z]{1,7}$/;

/** One line for each answer: the route's pattern, never the path that a stranger chose. */
export function accessLog(
  { log, clock, telemetry, underWay }: Pick<Deskhand, "log" | "clock" | "telemetry" | "underWay">,
) {
  return createMiddleware<Env>(async (c, next) => {
    const started = clock.elapsed();
    underWay.called();
    try {
      await next();
    } finally {
      underWay.answered();
    }
    const tenantId = c.get("tenantId");
    const refusal = c.get("refusal");
    const method = METHOD.test(c.req.method) ? c.req.method : "other";
    const route = routePath(c, -1);
    telemetry.nameRoute(method, route);
    log.info("Answered", {
      requestId: c.get("requestId"),
      ...tenantId !== undefined && { tenantId },
      method,
      route,
      status: c.res.status,
      ...refusal !== undefined && { refusal },
      ms: Math.round(clock.elapsed() - started),
    });
  });
}
