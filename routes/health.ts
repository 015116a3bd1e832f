import { Hono } from "hono";
import type { Env } from "./http/env.ts";
import { problem } from "./http/problems.ts";

/** Creates the route of liveness: this process runs, in this version. */
export function livenessRoute(version: string): Hono<Env> {
  return new Hono<Env>().get("/livez", (c) => c.json({ status: "live", version }));
}

/** Creates the route of readiness: the store accepts writes. */
export function readinessRoute(isReady: () => Promise<boolean>): Hono<Env> {
  return new Hono<Env>().get("/readyz", async (c) => {
    if (await isReady()) return c.json({ status: "ready" });
    const detail = "The store is not open yet, or the latest write to it failed. See the log";
    return problem(c, "store-unavailable", detail, { headers: { "Retry-After": "5" } });
  });
}
