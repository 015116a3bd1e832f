import type { Hono } from "hono";
import type { Dependencies } from "../domain/dependencies.ts";
import type { RateLimit } from "../domain/ports/rate_limit.ts";
import { auditEventRoutes } from "./v1/audit_events.ts";
import { openApiRoutes } from "./openapi/routes.ts";
import { type BaseAppOptions, createBaseApp } from "./http/base_app.ts";
import type { Env } from "./http/env.ts";
import { methodNotAllowed, notFound, onError } from "./http/errors.ts";
import { livenessRoute, readinessRoute } from "./health.ts";
import { panelRoutes } from "./panel/routes.ts";
import { supportRequestRoutes } from "./v1/support_requests.ts";
import type { VerifyToken } from "./auth/verification.ts";
import { rejectMalformed } from "./http/request_target.ts";

export interface AppOptions extends BaseAppOptions {
  deps: Dependencies;
  verify: VerifyToken;
  rateLimit: RateLimit;
  /** Returns whether the store accepts writes. */
  isReady(): Promise<boolean>;
  /** Shown by `/livez` and in the OpenAPI document. */
  version: string;
}

/** Creates the HTTP application: the middleware of every request, then all routes. */
export function createApp(options: AppOptions): Hono<Env> {
  const { deps, verify, rateLimit, isReady, version } = options;
  const app = createBaseApp(options)
    .route("/", livenessRoute(version))
    .route("/", readinessRoute(isReady))
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
