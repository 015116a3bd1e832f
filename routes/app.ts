import { Hono } from "hono";
import type { Deskhand } from "../domain/dependencies.ts";
import type { RateLimit } from "../domain/ports.ts";
import { accessLog } from "./http/access_log.ts";
import { auditEvents } from "./v1/audit_events.ts";
import { contract } from "./openapi/routes.ts";
import { crossOrigin } from "./http/cors.ts";
import type { Env } from "./http/env.ts";
import { answerError, answerUnknown, refuseOtherMethods } from "./http/errors.ts";
import { defaultHeaders } from "./http/headers.ts";
import { health } from "./health.ts";
import { panel } from "./panel/routes.ts";
import { supportRequests } from "./v1/support_requests.ts";
import type { VerifyToken } from "./auth/token_verifier.ts";
import { pathOf, rejectMalformed } from "./http/request_target.ts";

export interface AppOptions {
  deskhand: Deskhand;
  verify: VerifyToken;
  rateLimit: RateLimit;
  /** Whether the store can keep a request. */
  isReady(): Promise<boolean>;
  /** Origins that may call from a browser. */
  corsOrigins: string[];
  /** Where clients reach the service, such as `https://app.example/support`; null if unknown. */
  publicUrl: string | null;
}

/** The whole HTTP contract. */
export function createApp(options: AppOptions) {
  const { deskhand, verify, rateLimit, isReady, corsOrigins, publicUrl } = options;
  const app = new Hono<Env>({ getPath: pathOf }).use(defaultHeaders).use(accessLog(deskhand));
  if (publicUrl !== null) {
    app.use((c, next) => {
      c.set("publicUrl", publicUrl);
      return next();
    });
  }
  app.use(crossOrigin(corsOrigins));
  app
    .route("/", health(isReady))
    .route("/", supportRequests({ deskhand, verify, rateLimit }))
    .route("/", auditEvents(deskhand.store, verify, deskhand.log))
    .route("/", contract)
    .route("/", panel);
  refuseOtherMethods(app);
  rejectMalformed(app);
  app.notFound(answerUnknown);
  app.onError((error, c) => answerError(error, c, deskhand.log));
  return app;
}
