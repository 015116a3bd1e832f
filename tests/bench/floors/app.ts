/** The minimal application on the same framework: one route. */
import { Hono } from "hono";

const app = new Hono().get("*", (c) => c.json({ status: "ok" }));

const port = Number(Deno.env.get("PORT"));
Deno.serve({ hostname: "127.0.0.1", port, onListen() {} }, app.fetch);
