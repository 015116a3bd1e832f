import { cors } from "hono/cors";
import { createMiddleware } from "hono/factory";
import type { Env } from "./env.ts";

/** Headers of an answer that a page of another origin may read. */
const EXPOSED = ["ETag", "Retry-After", "X-Request-Id", "Idempotent-Replayed"];

/** Lets pages of `origins` call from a browser. To others no header says that such a thing exists. */
export function crossOrigin(origins: string[]) {
  const allow = cors({
    origin: origins,
    allowMethods: ["GET", "POST"],
    allowHeaders: [
      "Authorization",
      "Content-Type",
      "Idempotency-Key",
      "If-None-Match",
      "X-Request-Id",
    ],
    exposeHeaders: EXPOSED,
    maxAge: 600,
  });
  return createMiddleware<Env>(async (c, next) => {
    const origin = c.req.header("Origin");
    // Hono's own middleware would answer a stranger's preflight, without the origin but open.
    if (origin !== undefined && origins.includes(origin)) return await allow(c, next);
    await next();
    c.header("Vary", "Origin", { append: true });
  });
}
