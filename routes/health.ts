import { Hono } from "hono";
import type { Env } from "./http/env.ts";
import { json } from "./http/json.ts";
import { problem } from "./http/problems.ts";

/** Reports that this process runs, with its version, and whether it can store a request. */
export function healthRoutes(isReady: () => Promise<boolean>, version: string): Hono<Env> {
  return new Hono<Env>()
    .get("/livez", (c) => json(c, { status: "live", version }, 200))
    .get(
      "/readyz",
      async (c) =>
        await isReady() ? json(c, { status: "ready" }, 200) : problem(
          c,
          "store-unavailable",
          "The latest write to the store failed or had no response. See the log",
          {
            headers: { "Retry-After": "5" },
          },
        ),
    );
}
