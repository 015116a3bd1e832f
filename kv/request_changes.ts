import { type AuditEvent, auditEvent } from "../domain/model/audit.ts";
import type { FinalHandoff } from "../domain/model/handoff.ts";
import type { Actor, SupportRequest } from "../domain/model/support_request.ts";
import type { StoredRequest } from "../domain/ports/store.ts";
import type { Change, Write } from "./client/change.ts";
import { auditKey, requestKey } from "./keys.ts";
import { finalizeRecord } from "./records.ts";

/** Returns the `set` options of a record with this timestamp (see `Retention.ttlOptions`). */
export type TtlOptions = (since: string) => Write["options"];

/** Returns the first commit of a request: the record at sort key `ts`, and its audit event. */
export function submittedChange(request: SupportRequest, ts: number, ttl: TtlOptions): Change {
  const { context, createdBy, handoff, createdAt } = request;
  const key = requestKey(context, ts);
  const event = auditEvent("request.submitted", request, createdBy, handoff, createdAt);
  const options = ttl(createdAt);
  return {
    checks: [{ key, versionstamp: null }],
    sets: [{ key, value: request, options }, auditWrite(event, ts, options)],
  };
}

/** Returns the finalization: the record with its outcome, if it is unchanged, and its audit event. */
export function finalizedChange(
  stored: StoredRequest,
  handoff: FinalHandoff,
  actor: Actor,
  ttl: TtlOptions,
): Change {
  const { request, ts, versionstamp } = stored;
  const key = requestKey(request.context, ts);
  const value = finalizeRecord(stored, handoff);
  const event = auditEvent(`handoff.${handoff.status}`, request, actor, handoff, handoff.at);
  return {
    checks: [{ key, versionstamp }],
    sets: [
      { key, value, options: ttl(request.createdAt) },
      auditWrite(event, finalizationTs(stored, handoff), ttl(handoff.at)),
    ],
  };
}

/** Returns the change that appends an audit event at sort key `ts`, if that is free. */
export function auditChange(event: AuditEvent, ts: number, ttl: TtlOptions): Change {
  const write = auditWrite(event, ts, ttl(event.at));
  return { checks: [{ key: write.key, versionstamp: null }], sets: [write] };
}

function auditWrite(event: AuditEvent, ts: number, options: Write["options"]): Write {
  const { context, reference } = event;
  const key = auditKey(context.tenantId, { ts, reference, event: event.event });
  return { key, value: event, options };
}

/** Returns a sort key that keeps a request's events in order even if the clock has jumped back. */
export function finalizationTs({ ts }: StoredRequest, { at }: { at: string }): number {
  return Math.max(Date.parse(at) * 1000, ts + 1);
}
