import { z } from "zod";
import { AuditEvent } from "../domain/audit.ts";
import type { AuditPosition, Clock, Store } from "../domain/ports.ts";
import { call, type KvHandle } from "./call.ts";
import { auditKey, auditPrefix } from "./keys.ts";
import type { Retention } from "./retention.ts";

const AuditKey = z.tuple([z.literal("audit"), z.string(), z.number(), z.string(), z.string()]);

/** The part of the store that reads the audit of a tenant. */
export function createAuditEvents(
  kv: KvHandle,
  clock: Pick<Clock, "now">,
  retention: Retention,
): Pick<Store, "auditEvents"> {
  return {
    async auditEvents(tenantId, limit, after) {
      const prefix = auditPrefix(tenantId);
      const selector = after === undefined
        ? { prefix }
        : { prefix, end: auditKey(tenantId, after) };
      // One more than asked tells whether there is a next page.
      const entries = await call(
        kv,
        (kv) => Array.fromAsync(kv.list(selector, { limit: limit + 1, reverse: true })),
      );
      const page = entries.slice(0, limit);
      const last = page.at(-1);
      return {
        events: page.map(({ value }) => AuditEvent.parse(value)).filter(({ at }) =>
          !retention.isOver(at, clock.now())
        ),
        next: entries.length > limit && last !== undefined ? positionOf(last.key) : null,
      };
    },
  };
}

function positionOf(key: Deno.KvKey): AuditPosition {
  const [, , ts, reference, event] = AuditKey.parse(key);
  return { ts, reference, event };
}
