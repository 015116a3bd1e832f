import { Hono } from "hono";
import type { Env } from "./env.ts";

/** The page runs and asks nothing but what is served here. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** The library changes with a release only. */
const LIBRARY_CACHE = "public, max-age=86400";
const OWN_CACHE = "public, max-age=300";

/** A page to read and try the contract. Each file is loaded when it is asked for. */
export const docs = new Hono<Env>()
  .get("/docs", async (c) => {
    const { default: page } = await import("./docs/page.html", { with: { type: "text" } });
    c.header("Cache-Control", OWN_CACHE);
    c.header("Content-Security-Policy", POLICY);
    return c.html(page);
  })
  // The page's own addresses are relative, and so is this one: a path prefix stays as it is.
  .get("/docs/", (c) => c.redirect("../docs", 301))
  .get("/docs/start.js", async (c) => {
    const { default: script } = await import("./docs/start.js", { with: { type: "text" } });
    return c.body(script, 200, javaScript(OWN_CACHE));
  })
  .get("/docs/swagger-ui-bundle.js", async (c) => {
    const { default: script } = await import("swagger-ui-dist/swagger-ui-bundle.js", {
      with: { type: "text" },
    });
    return c.body(script, 200, javaScript(LIBRARY_CACHE));
  })
  .get("/docs/swagger-ui.css", async (c) => {
    const { default: style } = await import("swagger-ui-dist/swagger-ui.css", {
      with: { type: "text" },
    });
    return c.body(style, 200, {
      "Content-Type": "text/css; charset=utf-8",
      "Cache-Control": LIBRARY_CACHE,
    });
  });

function javaScript(cache: string) {
  return { "Content-Type": "text/javascript; charset=utf-8", "Cache-Control": cache };
}
