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
export function allHeaders(
  c: Context<Env>,
  headers: Record<string, string>,
): Record<string, string> {
  c.set("hasAllHeaders", true);
  return { ...HEADERS, "X-Request-Id": c.get("requestId"), ...headers };
}

/** Gives the headers that an answer has unless its handler chose others to what was made without. */
export const defaultHeaders = createMiddleware<Env>(async (c, next) => {
  await next();
  if (c.get("hasAllHeaders")) return;
  const { headers } = c.res;
  headers.set("X-Request-Id", c.get("requestId"));
  for (const [name, value] of Object.entries(HEADERS)) {
    if (!headers.has(name)) headers.set(name, value);
  }
});
