import type { Context } from "hono";
import type { Env } from "../http/env.ts";
import { problem } from "../http/problems.ts";

/** The values of `Retry-After`, in seconds. They rotate, so that clients do not return together. */
const RETRY_AFTER_SECONDS = [2, 3, 4, 5];

/**
 * Returns a function that rejects a submission or a resume which has waited too long for its start
 * (http/admission.ts), before anything is read or stored. Use it after authentication, because only 401
 * tells a client that retrying does not help.
 */
export function rejectIfOverloaded(): (c: Context<Env>) => Response | null {
  let rejected = 0;
  return (c) => {
    if (!c.env?.isOverloaded) return null;
    const seconds = String(RETRY_AFTER_SECONDS[rejected++ % RETRY_AFTER_SECONDS.length]);
    const isResume = c.req.path.endsWith("/resume");
    const outcome = isResume ? "" : "Nothing was stored. ";
    return problem(c, "overloaded", `${outcome}Try again in ${seconds} s`, {
      headers: { "Retry-After": seconds },
    });
  };
}
