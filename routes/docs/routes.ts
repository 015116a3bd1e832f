import { Hono } from "hono";
import type { Env } from "../http/env.ts";
import { staticFile } from "../http/static_file.ts";

/** The page may only load and call resources of this service. */
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

/** The home page has no script, and loads nothing but its style sheet and an empty icon. */
const HOME_POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** In seconds: the library changes only with a release. */
const LIBRARY_MAX_AGE_S = 86_400;
/** In seconds. */
const PAGE_MAX_AGE_S = 300;

const HTML = "text/html; charset=utf-8";
const JAVA_SCRIPT = "text/javascript; charset=utf-8";
const CSS = "text/css; charset=utf-8";

/**
 * Serves a home page for people who open the service's URL, and Swagger UI for the API. The home page
 * says nothing about the installation: anyone can read it. Each file is loaded when it is first
 * requested.
 */
export const docsRoutes: Hono<Env> = new Hono<Env>()
  .get(
    "/",
    staticFile(loadHome, {
      type: HTML,
      maxAge: PAGE_MAX_AGE_S,
      headers: { "Content-Security-Policy": HOME_POLICY },
    }),
  )
  .get("/docs/home.css", staticFile(loadHomeStyle, { type: CSS, maxAge: PAGE_MAX_AGE_S }))
  .get(
    "/docs",
    staticFile(loadPage, {
      type: HTML,
      maxAge: PAGE_MAX_AGE_S,
      headers: { "Content-Security-Policy": POLICY },
    }),
  )
  // Relative, like the URLs in the page, so that it works behind a path prefix.
  .get("/docs/", (c) => c.redirect("../docs", 301))
  .get("/docs/start.js", staticFile(loadStart, { type: JAVA_SCRIPT, maxAge: PAGE_MAX_AGE_S }))
  .get(
    "/docs/swagger-ui-bundle.js",
    staticFile(loadLibrary, { type: JAVA_SCRIPT, maxAge: LIBRARY_MAX_AGE_S }),
  )
  .get(
    "/docs/swagger-ui.css",
    staticFile(loadStyle, { type: CSS, maxAge: LIBRARY_MAX_AGE_S }),
  );

async function loadHome(): Promise<string> {
  const { default: page } = await import("./home.html", { with: { type: "text" } });
  return page;
}

async function loadHomeStyle(): Promise<string> {
  const { default: style } = await import("./home.css", { with: { type: "text" } });
  return style;
}

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
