import type { Context } from "hono";
import { routePath } from "hono/route";
import type { Dependencies } from "../../domain/dependencies.ts";
import type { Env } from "./env.ts";

/** The method is client-controlled: any token of any length. */
const METHOD = /^[A-Z]{1,7}$/;

const MAX_VALUE_LENGTH = 128;

/**
 * Returns a client-controlled value as it may be logged: truncated to 128 characters, with `?` for
 * everything but visible ASCII, so that it can neither fill the log nor fake a line in it.
 */
export function loggable(value: string): string {
  return value.slice(0, MAX_VALUE_LENGTH).replaceAll(/[^\x21-\x7e]/g, "?");
}

/**
 * Returns a function that logs one line per response, with the route's pattern instead of the
 * client-controlled path and the time since the request arrived.
 */
export function accessLog(
  { log, clock, telemetry }: Pick<Dependencies, "log" | "clock" | "telemetry">,
): (c: Context<Env>, arrivedAt: number) => void {
  return (c, arrivedAt) => {
    const tenantId = c.get("tenantId");
    const rejection = c.get("rejection");
    const actorHash = c.get("actorHash");
    const method = METHOD.test(c.req.method) ? c.req.method : "other";
    // Malformed requests are routed to a path with a NUL, which no log line should contain.
    const route = routePath(c, -1).replace("\0", "");
    telemetry.nameRoute(method, route);
    if (rejection !== undefined) telemetry.requestRejected(rejection.reason);
    log.info("request_completed", "Request completed", {
      requestId: c.get("requestId"),
      ...tenantId !== undefined && { tenantId },
      ...actorHash !== undefined && { actorHash },
      method,
      route,
      status: c.res.status,
      ...rejection,
      ms: Math.round(clock.elapsed() - arrivedAt),
    });
  };
}
