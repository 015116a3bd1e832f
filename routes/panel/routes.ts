import { Hono } from "hono";
import type { Env } from "../http/env.ts";
import { staticFile } from "../http/static_file.ts";

async function loadPanel(): Promise<string> {
  const { default: source } = await import("./panel.js", { with: { type: "text" } });
  return source;
}

/** The panel for other products' pages, on whatever origin they are. Loaded when asked for. */
export const panelRoutes = new Hono<Env>()
  .get(
    "/panel.js",
    staticFile(loadPanel, {
      type: "text/javascript; charset=utf-8",
      maxAge: 300,
      headers: {
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Access-Control-Allow-Origin": "*",
      },
    }),
  );
