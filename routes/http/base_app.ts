import { Hono } from "hono";
import type { Dependencies } from "../../domain/dependencies.ts";
import { accessLog } from "./access_log.ts";
import { corsFor } from "./cors.ts";
import type { Env } from "./env.ts";
import { defaultHeaders } from "./headers.ts";
import { routedPath } from "./request_target.ts";
import { SplitRouter } from "./router.ts";

export interface BaseAppOptions {
  deps: Pick<Dependencies, "log" | "clock" | "telemetry" | "inFlight">;
  /** The origins whose pages may call the API. */
  corsOrigins: string[];
  /** The URL at which clients reach the service (`https://app.example/support`), or null. */
  publicUrl: string | null;
}

/** Creates an application without routes: the middleware that runs for every request, in its order. */
export function createBaseApp({ deps, corsOrigins, publicUrl }: BaseAppOptions): Hono<Env> {
  const app = new Hono<Env>({ getPath: routedPath, router: new SplitRouter("/panel/") })
    .use(defaultHeaders)
    .use(accessLog(deps));
  if (publicUrl !== null) {
    app.use((c, next) => {
      c.set("publicUrl", publicUrl);
      return next();
    });
  }
  return app.use(corsFor(corsOrigins));
}
