import type { Hono } from "hono";
import { getPath } from "hono/utils/url";
import type { Env } from "./env.ts";
import type { Bindings } from "./server.ts";
import { problem } from "./problems.ts";
import { hasUnreadableBody } from "./unread_body.ts";

/** A name, an IPv4 address or an IPv6 address in brackets, and a port (RFC 9110, 7.2). */
const HOST = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?$/;

export const HOST_RULE =
  "Send one Host header with a name or an address, and a port if there is one: deskhand.example:8000";
const TARGET_RULE =
  "Send a path such as /livez in the request line, without a fragment and without a user name";
const BODY_RULE = "A GET request has no body. Send it without";

/** No request line has a path with a NUL. */
const MALFORMED = "/\0malformed";

/**
 * The path by which a request is routed: the one in its request line. Deno puts the URL together from
 * `Host` and the request line and checks neither: with `Host: x/v1/tenants?`, the path of every
 * request would be `/v1/tenants`. So what is not certain is routed to {@linkcode rejectMalformed}.
 * Not a middleware: one more of them costs each request as much as the check itself.
 */
export function routedPath(request: Request, options?: { env?: Bindings }): string {
  return findFault(request, options?.env?.fallbackHost) === null ? getPath(request) : MALFORMED;
}

/** The response to every request whose path is not certain. */
export function rejectMalformed(app: Hono<Env>): void {
  app.all(MALFORMED, (c) => {
    const fault = findFault(c.req.raw, c.env?.fallbackHost);
    return fault === null ? c.notFound() : problem(c, "malformed-request", fault);
  });
}

function findFault(request: Request, fallbackHost: string | undefined): string | null {
  const { url, headers } = request;
  const host = headers.get("Host");
  const start = url.indexOf("://") + 3;
  const end = url.indexOf("/", start);
  const authority = url.slice(start, end);
  // HTTP/2 has `:authority` instead, of which only the URL is left.
  if (host === null ? authority === fallbackHost : !isHost(host)) return HOST_RULE;
  if (end === -1 || authority !== host && !isHost(authority) || url.includes("#")) {
    return TARGET_RULE;
  }
  return hasUnreadableBody(request) ? BODY_RULE : null;
}

let lastValid: string | null = null;

/** Most requests name the same host as the one before. */
function isHost(text: string): boolean {
  if (text === lastValid) return true;
  // What is no URL, such as port 70000 or the address 1.2.3.400, would surprise what parses it later.
  if (!HOST.test(text) || !URL.canParse(`http://${text}`)) return false;
  lastValid = text;
  return true;
}
