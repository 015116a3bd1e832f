import type { Context, Hono } from "hono";
import type { Log } from "../../domain/ports/log.ts";
import { StoreUnavailableError } from "../../domain/ports/store.ts";
import type { Env } from "./env.ts";
import { problem } from "./problems.ts";

/** Answers 405 wherever a path exists but not by the method that was used. */
export function methodNotAllowed(app: Hono<Env>): void {
  const methods = new Map<string, string[]>();
  for (const { path, method } of app.routes) {
    if (method === "ALL") continue;
    const also = method === "GET" ? ["GET", "HEAD"] : [method];
    methods.set(path, [...new Set([...methods.get(path) ?? [], ...also])]);
  }
  for (const [path, allowed] of methods) {
    app.all(path, (c) =>
      problem(c, "method-not-allowed", `Use ${allowed.join(" or ")}`, {
        headers: { "Allow": allowed.join(", ") },
      }));
  }
}

export function notFound(c: Context<Env>) {
  return problem(c, "not-found", "There is nothing at this path. Check how it is written");
}

/** Broken infrastructure is told as such; of a bug nothing is told but the request id. */
export function onError(error: Error, c: Context<Env>, log: Log) {
  const requestId = c.get("requestId");
  if (error instanceof StoreUnavailableError) {
    log.error("store_unavailable", "The store is unavailable", { requestId, error: error.message });
    return problem(c, "store-unavailable", retryAdvice(c), { headers: { "Retry-After": "5" } });
  }
  // Not the message, which may quote what somebody sent.
  const frames = error.stack?.split("\n").filter((line) => /^\s+at /.test(line)).join("\n");
  log.error("unhandled_error", "Unhandled error", { requestId, error: `${error.name}\n${frames}` });
  return problem(c, "internal", "Report the requestId to the operator of this service");
}

function retryAdvice(c: Context<Env>): string {
  if (!c.get("isSubmitting")) {
    // Who reads or resumes has not sent anything to store.
    const isSubmission = c.req.method === "POST" && c.req.path.endsWith("/support-requests");
    return `${isSubmission ? "Nothing was stored. " : ""}Try again in a few seconds`;
  }
  return c.get("idempotencyKey") === undefined
    ? "The request may have been stored. Look at the latest one of this context before asking again"
    : "The request may have been stored. Send it again with the same Idempotency-Key";
}
