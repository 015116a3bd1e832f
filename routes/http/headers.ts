import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import type { Env } from "./env.ts";

/** Every answer is data for one caller: nothing of it is to be kept, framed, sniffed or run. */
const HEADERS = {
  "Cache-Control": "no-store",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "Strict-Transport-Security": "max-age=31536000",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
};

/**
 * All headers of an answer with `headers` of its own, for one that is made with them. To add them to
 * an answer that is made already takes twice as long.
 */
export function withDefaultHeaders(
  c: Context<Env>,
  headers: Record<string, string>,
): Record<string, string> {
  c.set("hasAllHeaders", true);
  return { ...HEADERS, "X-Request-Id": c.get("requestId"), ...headers };
}

/** A request id that a client may choose. */
const REQUEST_ID = /^[\w\-=]{1,255}$/;

/**
 * Gives each request an id, and its answer the headers that it was made without. Not Hono's own
 * middleware for the id, which makes a `Headers` for it.
 */
export const defaultHeaders = createMiddleware<Env>(async (c, next) => {
  const chosen = c.req.header("X-Request-Id");
  const isKept = chosen !== undefined && REQUEST_ID.test(chosen);
  c.set("requestId", isKept ? chosen : crypto.randomUUID());
  await next();
  if (c.get("hasAllHeaders")) return;
  const { headers } = c.res;
  headers.set("X-Request-Id", c.get("requestId"));
  for (const [name, value] of Object.entries(HEADERS)) {
    if (!headers.has(name)) headers.set(name, value);
  }
});
