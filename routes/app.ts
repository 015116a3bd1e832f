import { Hono } from "hono";
import type { Dependencies } from "../domain/dependencies.ts";
import type { RateLimit } from "../domain/ports/rate_limit.ts";
import { accessLog } from "./http/access_log.ts";
import { auditEventRoutes } from "./v1/audit_events.ts";
import { openApiRoutes } from "./openapi/routes.ts";
import { corsFor } from "./http/cors.ts";
import type { Env } from "./http/env.ts";
import { methodNotAllowed, notFound, onError } from "./http/errors.ts";
import { defaultHeaders } from "./http/headers.ts";
import { healthRoutes } from "./health.ts";
import { panelRoutes } from "./panel/routes.ts";
import { supportRequestRoutes } from "./v1/support_requests.ts";
import type { VerifyToken } from "./auth/verification.ts";
import { rejectMalformed, routedPath } from "./http/request_target.ts";

export interface AppOptions {
  deps: Dependencies;
  verify: VerifyToken;
  rateLimit: RateLimit;
  /** Returns whether the store accepts writes. */
  isReady(): Promise<boolean>;
  /** The origins whose pages may call the API. */
  corsOrigins: string[];
  /** The URL at which clients reach the service (`https://app.example/support`), or null. */
  publicUrl: string | null;
  /** Shown by `/livez` and in the OpenAPI document. */
  version: string;
}

/** Creates the HTTP application: middleware in the order in which it runs, then all routes. */
export function createApp(options: AppOptions): Hono<Env> {
  const { deps, verify, rateLimit, isReady, corsOrigins, publicUrl, version } = options;
  const app = new Hono<Env>({ getPath: routedPath }).use(defaultHeaders).use(accessLog(deps));
  if (publicUrl !== null) {
    app.use((c, next) => {
      c.set("publicUrl", publicUrl);
      return next();
    });
  }
  app.use(corsFor(corsOrigins));
  app
    .route("/", healthRoutes(isReady, version))
    .route("/", supportRequestRoutes({ deps, verify, rateLimit }))
    .route("/", auditEventRoutes(deps.store, verify, deps.log))
    .route("/", openApiRoutes(version))
    .route("/", panelRoutes);
  methodNotAllowed(app);
  rejectMalformed(app);
  app.notFound(notFound);
  app.onError((error, c) => onError(error, c, deps.log));
  return app;
}
