import { Hono } from "hono";
import * as z from "zod";
import type { AuditPosition, Store } from "../../domain/ports/store.ts";
import type { Log } from "../../domain/ports/log.ts";
import { Reference } from "../../domain/model/reference.ts";
import type { AuditEvents } from "./responses.ts";
import type { Env } from "../http/env.ts";
import { createJsonResponse } from "../http/headers.ts";
import type { VerifyToken } from "../auth/verification.ts";
import { parse, toFieldErrors, validationProblem } from "../http/validation.ts";
import { requireScope } from "../auth/require_scope.ts";

/** The event may be one that only a newer version knows: a page can end with it. */
const Position = z.tuple([
  z.number().int().nonnegative(),
  Reference,
  z.string().regex(/^[a-z._]{1,64}$/),
]);

/** The form of a cursor: base64url without padding. Real cursors have about 100 characters. */
export const CURSOR = /^[A-Za-z0-9_-]{1,200}$/;
const CURSOR_RULE = "must be a nextCursor returned by this endpoint";

/** A pagination cursor: opaque to clients. It reveals nothing of another tenant if used there. */
const Cursor = z.string().regex(CURSOR, CURSOR_RULE)
  .transform((text, context): AuditPosition => {
    const parsed = Position.safeParse(decode(text));
    if (!parsed.success) {
      context.addIssue(CURSOR_RULE);
      return z.NEVER;
    }
    const [ts, reference, event] = parsed.data;
    return { ts, reference, event };
  });

const LIMIT_RULE = "must be a whole number from 1 to 100";

const AuditQuery = z.object({
  limit: z.string().regex(/^\d{1,3}$/, LIMIT_RULE).transform(Number)
    .refine((limit) => limit >= 1 && limit <= 100, LIMIT_RULE).default(50),
  cursor: Cursor.optional(),
});

/** Creates the route that lists a tenant's audit events, newest first. */
export function auditEventRoutes(store: Store, verify: VerifyToken, log: Log): Hono<Env> {
  const checkRead = requireScope(verify, "audit:read");
  return new Hono<Env>().get(
    "/v1/tenants/:tenantId/audit-events",
    async (c) => {
      const rejection = await checkRead(c);
      if (rejection !== null) return rejection;
      const query = parse(AuditQuery, c.req.query());
      if (!query.success) return validationProblem(c, "query", toFieldErrors(query.error));
      const { limit, cursor } = query.data;
      const tenantId = c.get("tenantId");
      const page = await store.auditEvents(tenantId, limit, cursor);
      const { events, erasures, unknown = 0, next } = page;
      if (unknown > 0) {
        log.warn(
          "newer_record",
          `Omitted ${unknown} audit events of a newer version from a page. Upgrade this process`,
          { requestId: c.get("requestId"), tenantId },
        );
      }
      const nextCursor = next && toCursor(next);
      const response: AuditEvents = { events, ...erasures && { erasures }, nextCursor };
      return createJsonResponse(c, response, 200);
    },
  );
}

function toCursor({ ts, reference, event }: AuditPosition): string {
  return btoa(JSON.stringify([ts, reference, event]))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Returns undefined if `text` is not base64url-encoded JSON. */
function decode(text: string): unknown {
  try {
    return JSON.parse(atob(text.replaceAll("-", "+").replaceAll("_", "/")));
  } catch {
    return undefined;
  }
}
