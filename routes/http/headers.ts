import type { MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import type { Env } from "./env.ts";

/** Every response is data for one caller: it must not be framed, sniffed, executed or embedded. */
const addSecurityHeaders = secureHeaders({
  // A handler may set its own, such as the docs page its policy.
  overwrite: false,
  contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  crossOriginResourcePolicy: "same-origin",
  referrerPolicy: "no-referrer",
  strictTransportSecurity: "max-age=31536000",
  xContentTypeOptions: "nosniff",
  xFrameOptions: "DENY",
  // For documents, plug-ins and old browsers. The policy above rules them out, and each header costs
  // a response about 0.5 µs.
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
  removePoweredBy: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
});

/** Adds `Cache-Control: no-store`, and the request ID to a response that lost it. */
const addDefaults = createMiddleware<Env>(async (c, next) => {
  await next();
  const { headers } = c.res;
  if (!headers.has("Cache-Control")) headers.set("Cache-Control", "no-store");
  if (!headers.has("X-Request-Id")) headers.set("X-Request-Id", c.get("requestId"));
});

/**
 * Assigns an ID to each request and adds the default headers to each response. A client may choose
 * the ID in `X-Request-Id`: 1 to 255 letters, digits, `_`, `-` and `=`. Use these first: what they add
 * after all other middleware has run cannot be lost with a response that one of those replaces.
 */
export const defaultHeaders: MiddlewareHandler<Env>[] = [
  addSecurityHeaders,
  addDefaults,
  requestId(),
];
