import { AuditEvent } from "../../domain/model/audit.ts";
import { SupportRequest } from "../../domain/model/support_request.ts";
import { IdempotencyRecord } from "../../kv/idempotency_keys.ts";

/** The records in a KV. */
export interface KvContents {
  /** By reference. */
  requests: Map<string, SupportRequest>;
  /** By the reference of their request, oldest first. */
  events: Map<string, AuditEvent[]>;
  /** Idempotency keys with their request, or null if it does not exist. */
  keys: Map<string, SupportRequest | null>;
}

/** Reads the file of a service that has exited, or a KV Connect server. */
export async function readContents(path: string): Promise<KvContents> {
  using kv = await Deno.openKv(path);
  const requests: KvContents["requests"] = new Map();
  const places = new Map<string, SupportRequest>();
  for (const prefix of [["tenant"], ["run"]]) {
    for await (const { key, value } of kv.list({ prefix })) {
      const request = SupportRequest.parse(value);
      requests.set(request.reference, request);
      places.set(JSON.stringify(key), request);
    }
  }
  const events: KvContents["events"] = new Map();
  for await (const { value } of kv.list({ prefix: ["audit"] })) {
    const event = AuditEvent.parse(value);
    const others = events.get(event.reference) ?? [];
    events.set(event.reference, [...others, event]);
  }
  const keys: KvContents["keys"] = new Map();
  for await (const { key, value } of kv.list({ prefix: ["idempotency"] })) {
    const { recordKey } = IdempotencyRecord.parse(value);
    keys.set(String(key.at(-1)), places.get(JSON.stringify(recordKey)) ?? null);
  }
  return { requests, events, keys };
}

/** Describes partial changes: records that belong to one commit, of which some are missing. */
export function torn({ requests, events, keys }: KvContents): string[] {
  const found: string[] = [];
  for (const [reference, { handoff }] of requests) {
    const [first, ...rest] = events.get(reference) ?? [];
    const wasPending = first?.handoff.status === "pending";
    const expected = ["request.submitted"];
    if (wasPending && handoff.status !== "pending") expected.push(`handoff.${handoff.status}`);
    const names = [first, ...rest].map((event) => event?.event);
    if (names.join() !== expected.join()) {
      found.push(`${reference} is ${handoff.status}, its events are ${names}`);
    }
  }
  for (const reference of events.keys()) {
    if (!requests.has(reference)) found.push(`${reference} has events and no request`);
  }
  for (const [key, request] of keys) {
    if (request === null) found.push(`${key} has no request`);
  }
  return found;
}
