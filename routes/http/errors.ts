import type { Context, Hono } from "hono";
import type { Log } from "../../domain/ports/log.ts";
import { StoreUnavailableError } from "../../domain/ports/store.ts";
import type { Env } from "./env.ts";
import { isSubmission, problem } from "./problems.ts";

/**
 * Registers the response to unsupported methods of each existing path: 405 with `Allow`.
 *
 * Not `hono/method-not-allowed`: that is middleware, which responds after the 404 of a request without
 * a route, so that neither the access log nor a trace would contain the route.
 */
export function methodNotAllowed(app: Hono<Env>): void {
  const methods = new Map<string, string[]>();
  for (const { path, method } of app.routes) {
    if (method === "ALL") continue;
    const supported = method === "GET" ? ["GET", "HEAD"] : [method];
    methods.set(path, [...new Set([...methods.get(path) ?? [], ...supported])]);
  }
  for (const [path, allowed] of methods) {
    app.all(path, (c) =>
      problem(c, "method-not-allowed", `Use ${allowed.join(" or ")}`, {
        headers: { "Allow": allowed.join(", ") },
      }));
  }
}

/** Responds with 404 to a path that does not exist. */
export function notFound(c: Context<Env>): Response {
  return problem(c, "not-found", "There is nothing at this path. Check the spelling");
}

/**
 * Responds to an exception: 503 if the store failed, with what to do; 500 for anything else, which is
 * a bug and of which the response reveals only the request ID.
 */
export function onError(error: Error, c: Context<Env>, log: Log): Response {
  const requestId = c.get("requestId");
  if (error instanceof StoreUnavailableError) {
    log.error("store_unavailable", "The store is unavailable", { requestId, error: error.message });
    return problem(c, "store-unavailable", retryAdvice(c), { headers: { "Retry-After": "5" } });
  }
  // The stack without the message, which may contain what a client sent.
  const frames = error.stack?.split("\n").filter((line) => /^\s+at /.test(line)).join("\n");
  log.error("unhandled_error", "Unhandled error", { requestId, error: `${error.name}\n${frames}` });
  return problem(c, "internal", "Report the requestId to the operator of this service");
}

function retryAdvice(c: Context<Env>): string {
  if (c.get("stored") !== "unknown") {
    // A read or a resume sends nothing to store.
    return `${isSubmission(c) ? "Nothing was stored. " : ""}Try again in a few seconds`;
  }
  return c.get("idempotencyKey") === undefined
    ? "The request may have been stored. Check the latest request of this context before submitting again"
    : "The request may have been stored. Send it again with the same Idempotency-Key";
}
