import * as z from "zod";
import type { SupportContext } from "../domain/model/context.ts";
import type { AuditPosition, KeyScope } from "../domain/ports/store.ts";
import type { Reference } from "../domain/model/reference.ts";

/** Maximum number of keys per `getMany` call. */
export const MAX_GET_MANY_KEYS = 10;

/**
 * Returns the key prefix of a context's requests. They sort in the order of submission, so the
 * latest request has the last key. A run ID is unique only within its tenant, so both IDs form one
 * key part; neither can contain a slash.
 */
export function contextPrefix(context: SupportContext): ["tenant" | "run", string] {
  return context.kind === "tenant"
    ? ["tenant", context.tenantId]
    : ["run", `${context.tenantId}/${context.runId}`];
}

/** Returns the context whose requests have a key with this beginning. */
export function contextOf([kind, id]: RequestKey): SupportContext {
  const [tenantId, runId] = id.split("/") as [string, string];
  return kind === "tenant" ? { kind, tenantId } : { kind, tenantId, runId };
}

const CONTEXT_KINDS = ["tenant", "run"] as const;

/** Returns whether this version knows a kind of context; a newer one may have others. */
export function isContextKind(kind: string): kind is SupportContext["kind"] {
  return (CONTEXT_KINDS as readonly string[]).includes(kind);
}

/** The key of a request: kind, context, sort key. */
export const RequestKey = z.tuple([z.enum(CONTEXT_KINDS), z.string(), z.number().int()]);
export type RequestKey = z.infer<typeof RequestKey>;

/**
 * Returns the key of a request. `ts` is in microseconds, because milliseconds would limit a context
 * to a thousand requests per second.
 */
export function requestKey(context: SupportContext, ts: number): RequestKey {
  return [...contextPrefix(context), ts];
}

/** Returns the key of an idempotency record: equal keys of other tenants or actors are distinct. */
export function idempotencyKey({ tenantId, actorId, key }: KeyScope): Deno.KvKey {
  return ["idempotency", tenantId, actorId, key];
}

/** Returns the key prefix of a tenant's audit events, which sort by time. */
export function auditPrefix(tenantId: string): Deno.KvKey {
  return ["audit", tenantId];
}

/** Returns the key of an audit event. Reference and event make it unique within a microsecond. */
export function auditKey(tenantId: string, { ts, reference, event }: AuditPosition): Deno.KvKey {
  return [...auditPrefix(tenantId), ts, reference, event];
}

/** Returns the key of the lease on resuming the handoff of a request. */
export function leaseKey(reference: Reference): Deno.KvKey {
  return ["lease", reference];
}

/**
 * Returns the key of the number of submissions of one actor in one minute, which is stored only if
 * several processes share the store.
 */
export function rateKey(tenantId: string, actorId: string, minute: number): Deno.KvKey {
  return ["rate", tenantId, actorId, minute];
}

/**
 * Returns the key prefix of a tenant's erasure records. They are not audit events, because version 1
 * cannot parse them and would fail to list the audit events beside them.
 */
export function erasurePrefix(tenantId: string): Deno.KvKey {
  return ["erasure", tenantId];
}

/** Returns the key of an erasure record. `id` makes it unique within a millisecond. */
export function erasureKey(tenantId: string, at: number, id: string): Deno.KvKey {
  return [...erasurePrefix(tenantId), at, id];
}

/** Returns the range of the requests of all runs of a tenant: `0` is the character after `/`. */
export function runsOf(tenantId: string): { start: Deno.KvKey; end: Deno.KvKey } {
  return { start: ["run", `${tenantId}/`], end: ["run", `${tenantId}0`] };
}

/** Returns the key prefix of all requests of tenants or of runs, audit events or leases. */
export function kindPrefix(kind: "tenant" | "run" | "audit" | "lease"): Deno.KvKey {
  return [kind];
}

/** Returns the key prefix of the idempotency keys or rate counters of a tenant or an actor in it. */
export function ownerPrefix(
  kind: "idempotency" | "rate",
  tenantId: string,
  actorId?: string,
): Deno.KvKey {
  return actorId === undefined ? [kind, tenantId] : [kind, tenantId, actorId];
}

/** The key of the record that a readiness probe writes. */
export const PROBE_KEY: Deno.KvKey = ["ready"];

/** Never written, so that a check of its absence always holds. */
export const ABSENT_KEY: Deno.KvKey = ["ready", "never"];
