import { createMiddleware } from "hono/factory";
import { routePath } from "hono/route";
import type { Dependencies } from "../../domain/dependencies.ts";
import type { Env } from "./env.ts";

/** A method is any word, of any length, that a stranger chose. */
const METHOD = /^[A-Z]{1,7}$/;

const MAX_VALUE_LENGTH = 128;

/**
 * Makes a value that a client has chosen fit for the log: cut, and of visible ASCII characters, so
 * that it can neither fill the log nor look like another line, in a terminal or in a viewer.
 */
export function loggable(value: string): string {
  return value.slice(0, MAX_VALUE_LENGTH).replaceAll(/[^\x21-\x7e]/g, "?");
}

/** One line for each answer: the route's pattern, never the path that a stranger chose. */
export function accessLog(
  { log, clock, telemetry, inFlight }: Pick<
    Dependencies,
    "log" | "clock" | "telemetry" | "inFlight"
  >,
) {
  return createMiddleware<Env>(async (c, next) => {
    const started = clock.elapsed();
    inFlight.requestStarted();
    try {
      await next();
    } finally {
      inFlight.requestFinished();
    }
    const tenantId = c.get("tenantId");
    const rejection = c.get("rejection");
    const actorHash = c.get("actorHash");
    const method = METHOD.test(c.req.method) ? c.req.method : "other";
    // The route of malformed requests has a NUL, which no request line can have.
    const route = routePath(c, -1).replace("\0", "");
    telemetry.nameRoute(method, route);
    log.info("request_completed", "Request completed", {
      requestId: c.get("requestId"),
      ...tenantId !== undefined && { tenantId },
      ...actorHash !== undefined && { actorHash },
      method,
      route,
      status: c.res.status,
      ...rejection,
      ms: Math.round(clock.elapsed() - started),
    });
  });
}
