import type { SupportContext } from "../domain/model/context.ts";
import type { AuditPosition, KeyScope } from "../domain/ports/store.ts";
import type { Reference } from "../domain/model/reference.ts";

/** How many keys `getMany` takes at once. */
export const MAX_GET_MANY_KEYS = 10;

/**
 * The requests of one context, in the order in which they were asked. The latest is the last key
 * below it. A run's id is unique within its tenant only, so both make one key part; neither can
 * hold a slash.
 */
export function contextPrefix(context: SupportContext): Deno.KvKey {
  return context.kind === "tenant"
    ? ["tenant", context.tenantId]
    : ["run", `${context.tenantId}/${context.runId}`];
}

/** The same for the same context. */
export function contextId(context: SupportContext): string {
  return context.kind === "tenant"
    ? `tenant/${context.tenantId}`
    : `run/${context.tenantId}/${context.runId}`;
}

/** `ts` is a number of microseconds: milliseconds would hold a context to a thousand a second. */
export function requestKey(context: SupportContext, ts: number): Deno.KvKey {
  return [...contextPrefix(context), ts];
}

/** All that a tenant's idempotency keys have in common with another tenant's is the first part. */
export function idempotencyKey({ tenantId, actorId, key }: KeyScope): Deno.KvKey {
  return ["idempotency", tenantId, actorId, key];
}

export function auditPrefix(tenantId: string): Deno.KvKey {
  return ["audit", tenantId];
}

/** Reference and event tell events of one microsecond apart. */
export function auditKey(tenantId: string, { ts, reference, event }: AuditPosition): Deno.KvKey {
  return [...auditPrefix(tenantId), ts, reference, event];
}

export function leaseKey(reference: Reference): Deno.KvKey {
  return ["lease", reference];
}

/** Submissions of one actor in one minute, where several processes count together. */
export function rateKey(tenantId: string, actorId: string, minute: number): Deno.KvKey {
  return ["rate", tenantId, actorId, minute];
}

/** What one erasure of a tenant, or of an actor in it, has deleted. Not below `audit`, which version 1 reads. */
export function erasurePrefix(tenantId: string): Deno.KvKey {
  return ["erasure", tenantId];
}

/** `id` tells erasures of one millisecond apart. */
export function erasureKey(tenantId: string, at: number, id: string): Deno.KvKey {
  return [...erasurePrefix(tenantId), at, id];
}

/** The requests of all runs of a tenant: a zero is the character after the slash. */
export function runsOf(tenantId: string): { start: Deno.KvKey; end: Deno.KvKey } {
  return { start: ["run", `${tenantId}/`], end: ["run", `${tenantId}0`] };
}
