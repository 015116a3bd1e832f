import { Hono } from "hono";
import type { Env } from "./env.ts";

/** The panel for other products' pages, on whatever origin they are. Loaded when asked for. */
export const panel = new Hono<Env>()
  .get("/panel.js", async (c) => {
    const { default: source } = await import("./panel/panel.js", { with: { type: "text" } });
    return c.body(source, 200, {
      "Content-Type": "text/javascript; charset=utf-8",
      "Cache-Control": "public, max-age=300",
      "Cross-Origin-Resource-Policy": "cross-origin",
      "Access-Control-Allow-Origin": "*",
    });
  });
