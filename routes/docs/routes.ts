import { type Handler, Hono } from "hono";
import type { Env } from "../http/env.ts";
import { staticFile } from "../http/static_file.ts";

/** Returns a policy that allows the given sources, and nothing from another origin. */
function policy(...sources: string[]): string {
  return [
    "default-src 'none'",
    ...sources,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

/** The home page has no script, and loads nothing but its style sheet and an empty icon. */
const HOME_POLICY = policy("style-src 'self'", "img-src data:");

/** The guide loads one script and one style sheet of this service, and makes no calls. */
const GUIDE_POLICY = policy("script-src 'self'", "style-src 'self'", "img-src data:");

/** The explorer may also call this service. */
const EXPLORER_POLICY = policy(
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
);

/** In seconds: the library changes only with a release. */
const LIBRARY_MAX_AGE_S = 86_400;
/** In seconds. */
const PAGE_MAX_AGE_S = 300;

const HTML = "text/html; charset=utf-8";
const JAVA_SCRIPT = "text/javascript; charset=utf-8";
const CSS = "text/css; charset=utf-8";

/**
 * Serves a home page for people who open the service's URL, a guide with the reference of the API, and
 * an explorer (Swagger UI) that makes calls. The home page says nothing about the installation: anyone
 * can read it. Each file is loaded when it is first requested.
 */
export const docsRoutes: Hono<Env> = new Hono<Env>()
  .get("/", page(loadHome, HOME_POLICY))
  .get("/docs", page(loadGuide, GUIDE_POLICY))
  // Relative, like the URLs in the pages, so that it works behind a path prefix.
  .get("/docs/", (c) => c.redirect("../docs", 301))
  .get("/docs/explorer/", (c) => c.redirect("../explorer", 301))
  .get("/docs/explorer", page(loadExplorer, EXPLORER_POLICY))
  .get("/docs/home.css", staticFile(loadHomeStyle, { type: CSS, maxAge: PAGE_MAX_AGE_S }))
  .get("/docs/guide.css", staticFile(loadGuideStyle, { type: CSS, maxAge: PAGE_MAX_AGE_S }))
  .get("/docs/guide.js", staticFile(loadGuideScript, { type: JAVA_SCRIPT, maxAge: PAGE_MAX_AGE_S }))
  .get("/docs/explorer.css", staticFile(loadExplorerStyle, { type: CSS, maxAge: PAGE_MAX_AGE_S }))
  .get(
    "/docs/explorer.js",
    staticFile(loadExplorerScript, { type: JAVA_SCRIPT, maxAge: PAGE_MAX_AGE_S }),
  )
  .get(
    "/docs/swagger-ui-bundle.js",
    staticFile(loadLibrary, { type: JAVA_SCRIPT, maxAge: LIBRARY_MAX_AGE_S }),
  )
  .get("/docs/swagger-ui.css", staticFile(loadStyle, { type: CSS, maxAge: LIBRARY_MAX_AGE_S }));

function page(load: () => Promise<string>, policy: string): Handler<Env> {
  const headers = { "Content-Security-Policy": policy };
  return staticFile(load, { type: HTML, maxAge: PAGE_MAX_AGE_S, headers });
}

async function loadHome(): Promise<string> {
  const { default: page } = await import("./home.html", { with: { type: "text" } });
  return page;
}

async function loadHomeStyle(): Promise<string> {
  const { default: style } = await import("./home.css", { with: { type: "text" } });
  return style;
}

async function loadGuide(): Promise<string> {
  const [{ default: page }, { renderReference }, { openApiDocument }] = await Promise.all([
    import("./guide.html", { with: { type: "text" } }),
    import("./reference.ts"),
    import("../openapi/document.ts"),
  ]);
  // The page shows no version.
  return page.replace("<!-- reference -->", () => renderReference(openApiDocument("")));
}

async function loadGuideStyle(): Promise<string> {
  const { default: style } = await import("./guide.css", { with: { type: "text" } });
  return style;
}

async function loadGuideScript(): Promise<string> {
  const { default: script } = await import("./guide.js", { with: { type: "text" } });
  return script;
}

async function loadExplorer(): Promise<string> {
  const { default: page } = await import("./explorer.html", { with: { type: "text" } });
  return page;
}

async function loadExplorerStyle(): Promise<string> {
  const { default: style } = await import("./explorer.css", { with: { type: "text" } });
  return style;
}

async function loadExplorerScript(): Promise<string> {
  const { default: script } = await import("./explorer.js", { with: { type: "text" } });
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
