import { Hono } from "hono";
import type { Env } from "../http/env.ts";
import { staticFile } from "../http/static_file.ts";

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

/** The library changes with a release only. In seconds. */
const LIBRARY_MAX_AGE = 86_400;
const OWN_MAX_AGE = 300;

const JAVA_SCRIPT = "text/javascript; charset=utf-8";

/** A page to read and try the contract. Each file is loaded when it is asked for. */
export const docsRoutes = new Hono<Env>()
  .get(
    "/docs",
    staticFile(loadPage, {
      type: "text/html; charset=utf-8",
      maxAge: OWN_MAX_AGE,
      headers: { "Content-Security-Policy": POLICY },
    }),
  )
  // The page's own addresses are relative, and so is this one: a path prefix stays as it is.
  .get("/docs/", (c) => c.redirect("../docs", 301))
  .get("/docs/start.js", staticFile(loadStart, { type: JAVA_SCRIPT, maxAge: OWN_MAX_AGE }))
  .get(
    "/docs/swagger-ui-bundle.js",
    staticFile(loadLibrary, { type: JAVA_SCRIPT, maxAge: LIBRARY_MAX_AGE }),
  )
  .get(
    "/docs/swagger-ui.css",
    staticFile(loadStyle, { type: "text/css; charset=utf-8", maxAge: LIBRARY_MAX_AGE }),
  );

async function loadPage(): Promise<string> {
  const { default: page } = await import("./page.html", { with: { type: "text" } });
  return page;
}

async function loadStart(): Promise<string> {
  const { default: script } = await import("./start.js", { with: { type: "text" } });
  return script;
}

async function loadLibrary(): Promise<string> {
  const { default: script } = await import("swagger-ui-dist/swagger-ui-bundle.js", {
    with: { type: "text" },
  });
  return script;
}

async function loadStyle(): Promise<string> {
  const { default: style } = await import("swagger-ui-dist/swagger-ui.css", {
    with: { type: "text" },
  });
  return style;
}
