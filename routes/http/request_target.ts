import type { Hono } from "hono";
import { getPath } from "hono/utils/url";
import type { Env } from "./env.ts";
import type { Bindings } from "./server.ts";
import { problem } from "./problems.ts";
import { hasUnreadableBody } from "./unread_body.ts";

/** A name, an IPv4 address or an IPv6 address in brackets, and optionally a port (RFC 9110, 7.2). */
const HOST = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?$/;

export const HOST_RULE =
  "Send one Host header with a host name or an IP address and, if needed, a port: deskhand.example:8000";
const TARGET_RULE =
  "Send a path such as /livez in the request line, without a fragment or user information";
const BODY_RULE = "Send the GET request without a body";

/** The route of malformed requests. Not reachable otherwise: no request line contains a NUL. */
const MALFORMED = "/\0malformed";

/**
 * Returns the path by which a request is routed: the one in its request line. Deno builds the URL from
 * `Host` and the request line and checks neither: with `Host: x/v1/tenants?`, every request would have
 * the path `/v1/tenants`. Ambiguous requests are therefore routed to {@linkcode rejectMalformed}. This
 * is not middleware, because the path is needed before any middleware runs.
 */
export function routedPath(request: Request, options?: { env?: Bindings }): string {
  return findFault(request, options?.env?.fallbackHost) === null ? getPath(request) : MALFORMED;
}

/** Registers the response to every request whose path is ambiguous: 400. */
export function rejectMalformed(app: Hono<Env>): void {
  app.all(MALFORMED, (c) => {
    const fault = findFault(c.req.raw, c.env?.fallbackHost);
    // It may be a submission: its path is not known.
    if (c.req.method === "POST") c.set("stored", "no");
    return fault === null ? c.notFound() : problem(c, "malformed-request", fault);
  });
}

function findFault(request: Request, fallbackHost: string | undefined): string | null {
  const { url, headers } = request;
  const host = headers.get("Host");
  const start = url.indexOf("://") + 3;
  const end = url.indexOf("/", start);
  const authority = url.slice(start, end);
  // HTTP/2 has `:authority` instead, which Deno shows only in the URL.
  if (host === null ? authority === fallbackHost : !isHost(host)) return HOST_RULE;
  if (end === -1 || authority !== host && !isHost(authority) || url.includes("#")) {
    return TARGET_RULE;
  }
  return hasUnreadableBody(request) ? BODY_RULE : null;
}

let lastValid: string | null = null;

/** Returns whether `text` is a valid host. Caches one host: most requests name the same. */
function isHost(text: string): boolean {
  if (text === lastValid) return true;
  // Port 70000 or the address 1.2.3.400 match the pattern, but make later URL parsing throw.
  if (!HOST.test(text) || !URL.canParse(`http://${text}`)) return false;
  lastValid = text;
  return true;
}
