import type { MiddlewareHandler } from "hono";
import type { Env } from "../http/env.ts";
import { problem } from "../http/problems.ts";

/**
 * Maximum number of submissions and resumes in flight; further ones are rejected. Each takes about
 * 30 KB. One commit holds about 50 submissions, so 1,000 are committed within the 2 s timeout of a KV
 * call even if the disk takes 50 ms per fsync. Without a limit, 55 of 5,000 concurrent submissions
 * timed out while they waited for a commit, on a machine with both cores busy.
 */
export const MAX_IN_FLIGHT = 1_000;

/** The values of `Retry-After`, in seconds. They rotate, so that clients do not return together. */
const RETRY_AFTER_SECONDS = [2, 3, 4, 5];

/**
 * Rejects a submission or a resume while too many are in flight, before anything is read or stored.
 * Use it after authentication: requests without a valid token must not take the place of others.
 */
export function limitInFlight(): MiddlewareHandler<Env> {
  let inFlight = 0;
  let rejected = 0;
  return async (c, next) => {
    if (inFlight >= MAX_IN_FLIGHT) {
      const seconds = String(RETRY_AFTER_SECONDS[rejected++ % RETRY_AFTER_SECONDS.length]);
      const isResume = c.req.path.endsWith("/resume");
      const outcome = isResume ? "" : "Nothing was stored. ";
      return problem(c, "overloaded", `${outcome}Try again in ${seconds} s`, {
        headers: { "Retry-After": seconds },
      });
    }
    inFlight++;
    try {
      await next();
    } finally {
      inFlight--;
    }
  };
}
