import * as z from "zod";
import { AuditEvent, AuditEventName, Erasure } from "../domain/model/audit.ts";
import { toPublicHandoff } from "../domain/model/handoff.ts";
import type { AuditPosition, Store } from "../domain/ports/store.ts";
import type { Clock } from "../domain/ports/clock.ts";
import { call, type KvHandle } from "./client/call.ts";
import { auditKey, auditPrefix, erasurePrefix } from "./keys.ts";
import { parseContext, parseHandoff, StoredActor } from "./records.ts";
import type { Retention } from "./retention.ts";

const AuditKey = z.tuple([z.literal("audit"), z.string(), z.number(), z.string(), z.string()]);

/** Maximum number of erasures on a first page. */
const MAX_ERASURES = 100;

/** All that an event of a newer version has for certain. */
const NamedEvent = z.object({ event: z.string(), context: z.unknown().optional() });

/** As lenient as the schema of a stored request (see `records.ts`), for the same reasons. */
const StoredEvent = AuditEvent.extend({
  context: z.unknown(),
  actor: StoredActor,
  handoff: z.unknown(),
});

/**
 * Returns a stored event, or null if only a newer version knows its name or its kind of context.
 *
 * @throws {z.ZodError}
 */
function parseEvent(value: unknown): AuditEvent | null {
  const named = NamedEvent.parse(value);
  if (!AuditEventName.safeParse(named.event).success) return null;
  const context = parseContext(named.context);
  if (context === null) return null;
  const stored = StoredEvent.parse(value);
  const { handoff } = parseHandoff(stored.handoff, stored.reference, stored.at);
  return { ...stored, context, handoff: toPublicHandoff(handoff) };
}

/** The part of the store that lists a tenant's audit events. */
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
      const [entries, erasures] = await Promise.all([
        // One extra entry shows whether there is a next page.
        listLast(kv, selector, limit + 1),
        after === undefined ? listLast(kv, { prefix: erasurePrefix(tenantId) }, MAX_ERASURES) : [],
      ]);
      const page = entries.slice(0, limit);
      const last = page.at(-1);
      const events = page.map(({ value }) => parseEvent(value)).filter((event) => event !== null);
      // Omits an erasure that a newer version wrote in another form.
      const erased = erasures.flatMap(({ value }) => Erasure.safeParse(value).data ?? []);
      const unknown = page.length - events.length;
      return {
        events: events.filter(({ at }) => !retention.isExpired(at, clock.now())),
        ...unknown > 0 && { unknown },
        ...erased.length > 0 && { erasures: erased },
        next: entries.length > limit && last !== undefined ? positionOf(last.key) : null,
      };
    },
  };
}

function listLast(
  kv: KvHandle,
  selector: Deno.KvListSelector,
  limit: number,
): Promise<Deno.KvEntry<unknown>[]> {
  return call(kv, (kv) => Array.fromAsync(kv.list(selector, { limit, reverse: true })));
}

function positionOf(key: Deno.KvKey): AuditPosition {
  const [, , ts, reference, event] = AuditKey.parse(key);
  return { ts, reference, event };
}
