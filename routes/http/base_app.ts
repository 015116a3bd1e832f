import { Hono } from "hono";
import type { Dependencies } from "../../domain/dependencies.ts";
import { accessLog } from "./access_log.ts";
import { corsFor } from "./cors.ts";
import type { Env } from "./env.ts";
import { addDefaultHeaders, assignRequestId } from "./headers.ts";
import { routedPath } from "./request_target.ts";
import { SplitRouter } from "./router.ts";

export interface BaseAppOptions {
  deps: Pick<Dependencies, "log" | "clock" | "telemetry" | "inFlight">;
  /** The origins whose pages may call the API. */
  corsOrigins: string[];
  /** The URL at which clients reach the service (`https://app.example/support`), or null. */
  publicUrl: string | null;
}

/**
 * Creates an application without routes: what happens with every request. One middleware does all of it,
 * because each adds 5 to 8 µs to a submission without load.
 */
export function createBaseApp({ deps, corsOrigins, publicUrl }: BaseAppOptions): Hono<Env> {
  const { clock, inFlight } = deps;
  const allowOrigins = corsFor(corsOrigins);
  const logResponse = accessLog(deps);
  return new Hono<Env>({ getPath: routedPath, router: new SplitRouter("/panel/") })
    .use(async (c, next) => {
      const arrivedAt = c.env?.arrivedAt ?? clock.elapsed();
      assignRequestId(c);
      if (publicUrl !== null) c.set("publicUrl", publicUrl);
      inFlight.requestStarted();
      try {
        const response = await allowOrigins(c, next);
        // To a preflight. Otherwise, Hono's `next()` has resolved with the context.
        if (response instanceof Response) c.res = response;
      } finally {
        inFlight.requestFinished();
      }
      logResponse(c, arrivedAt);
      addDefaultHeaders(c);
    });
}
