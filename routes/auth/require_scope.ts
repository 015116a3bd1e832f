import type { Context } from "hono";
import { loggable } from "../http/access_log.ts";
import type { Env } from "../http/env.ts";
import { problem } from "../http/problems.ts";
import type { VerifyToken } from "./verification.ts";

export type Scope = "support_requests:create" | "support_requests:read" | "audit:read";

/** RFC 6750, 2.1. The name of the scheme is case-insensitive. */
const BEARER = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i;
const HAS_TOKEN = /^Bearer +\S/i;

/**
 * Returns a function that requires a valid token which covers the tenant in the path and has `scope`:
 * it resolves with the error response, or with null. The order of its checks reveals nothing about
 * tenants: 401 without a valid token; 404 if the token does not cover the tenant, as if the tenant did
 * not exist; only then 403. 401 and 403 have the challenge of RFC 6750, 3.
 */
export function requireScope(
  verify: VerifyToken,
  scope: Scope,
): (c: Context<Env, "/v1/tenants/:tenantId">) => Promise<Response | null> {
  return async (c) => {
    const header = c.req.header("Authorization") ?? "";
    const token = BEARER.exec(header)?.[1];
    if (token === undefined) {
      return HAS_TOKEN.test(header)
        ? invalidToken("malformed_token")
        : unauthenticated("no_token", "Bearer", "Send a token as 'Authorization: Bearer <token>'");
    }
    const verification = await verify(token);
    switch (verification.outcome) {
      case "invalid":
        return invalidToken(verification.reason);
      case "expired":
        return invalidToken("expired", "The token has expired. Get a new one");
      case "unavailable":
        return problem(
          c,
          "keys-unavailable",
          "The issuer's keys are unavailable. Try again in a few seconds",
          { headers: { "Retry-After": "5" } },
        );
    }
    c.set("actorHash", verification.actorHash);
    const { actor, requestorEmail, tenants, scopes } = verification.claims;
    const tenantId = c.req.param("tenantId");
    if (!tenants.has(tenantId)) {
      c.set("rejection", { reason: "tenant_not_in_token", tenantId: loggable(tenantId) });
      return problem(
        c,
        "not-found",
        "It does not exist, or this token has no access to it. Check the path",
      );
    }
    if (!scopes.has(scope)) {
      c.set("rejection", { reason: "scope_missing", tenantId, scope });
      const challenge = `Bearer error="insufficient_scope", scope="${scope}"`;
      return problem(c, "insufficient-scope", `Get a token with the scope ${scope}`, {
        headers: { "WWW-Authenticate": challenge },
      });
    }
    c.set("actor", actor);
    c.set("requestorEmail", requestorEmail);
    c.set("tenantId", tenantId);
    return null;

    function invalidToken(
      reason: string,
      detail = "The token is invalid. Get a new one and send it as 'Authorization: Bearer <token>'",
    ) {
      return unauthenticated(reason, 'Bearer error="invalid_token"', detail);
    }

    function unauthenticated(reason: string, challenge: string, detail: string) {
      c.set("rejection", { reason });
      return problem(c, "unauthenticated", detail, { headers: { "WWW-Authenticate": challenge } });
    }
  };
}
