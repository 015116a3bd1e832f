import { createMiddleware } from "hono/factory";
import type { Env } from "./env.ts";
import { problem } from "./problems.ts";
import type { VerifyToken } from "./token.ts";

export type Scope = "support_requests:create" | "support_requests:read" | "audit:read";

const BEARER = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i;

/**
 * Lets through who may do `scope` in the tenant of the path, in the order in which nothing is told
 * to who may not: 401 without a valid token, 404 for a tenant that is not in it, the same as for
 * one that does not exist, and only then 403.
 */
export function whoMay(verify: VerifyToken, scope: Scope) {
  return createMiddleware<Env, "/v1/tenants/:tenantId">(async (c, next) => {
    const token = BEARER.exec(c.req.header("Authorization") ?? "")?.[1];
    const verification = token === undefined
      ? { outcome: "missing" } as const
      : await verify(token);
    switch (verification.outcome) {
      case "missing":
        return unauthenticated("Send a token as 'Authorization: Bearer <token>'", "no token");
      case "invalid":
        return unauthenticated(
          "The token cannot be accepted. Get a new one and send it as 'Authorization: Bearer <token>'",
          verification.reason,
        );
      case "expired":
        return unauthenticated("The token has expired. Get a new one", "expired");
      case "unavailable":
        return problem(
          c,
          "keys-unavailable",
          "The key set of the token's issuer cannot be read. Try again",
          {
            headers: { "Retry-After": "5" },
          },
        );
    }
    const { actor, requestorEmail, tenants, scopes } = verification.claims;
    const tenantId = c.req.param("tenantId");
    if (!tenants.has(tenantId)) {
      return problem(c, "not-found", "There is nothing here for this token. Check the path");
    }
    if (!scopes.has(scope)) {
      return problem(c, "insufficient-scope", `Get a token with the scope ${scope}`);
    }
    c.set("actor", actor);
    c.set("requestorEmail", requestorEmail);
    c.set("tenantId", tenantId);
    return next();

    function unauthenticated(detail: string, reason: string) {
      c.set("refusal", reason);
      return problem(c, "unauthenticated", detail, { headers: { "WWW-Authenticate": "Bearer" } });
    }
  });
}
