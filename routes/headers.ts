import { createMiddleware } from "hono/factory";
import type { Env } from "./env.ts";

/** Every answer is data for one caller: nothing of it is to be kept, framed, sniffed or run. */
const HEADERS = Object.entries({
  "Cache-Control": "no-store",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "Strict-Transport-Security": "max-age=31536000",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
});

/** Sets the headers that an answer has unless its handler chose others, and the request's id. */
export const defaultHeaders = createMiddleware<Env>(async (c, next) => {
  await next();
  const { headers } = c.res;
  headers.set("X-Request-Id", c.get("requestId"));
  for (const [name, value] of HEADERS) {
    if (!headers.has(name)) headers.set(name, value);
  }
});
