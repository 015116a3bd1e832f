/**
 * Fills a KV file with support requests, as years of use leave it: every request has a ticket, two
 * audit events and an idempotency key, all built by the code that stores them in the service. Only
 * the commits are larger, and without checks.
 */
import { toTimestamp } from "../../../domain/model/handoff.ts";
import { fingerprint, KEY_LIFETIME_MS } from "../../../domain/model/idempotency.ts";
import type { SupportContext } from "../../../domain/model/context.ts";
import { generateReference } from "../../../domain/model/reference.ts";
import type { SupportRequest } from "../../../domain/model/support_request.ts";
import type { Write } from "../../../kv/client/change.ts";
import { claimKey } from "../../../kv/idempotency_keys.ts";
import { requestKey } from "../../../kv/keys.ts";
import { finalizedChange, submittedChange } from "../../../kv/request_changes.ts";
import { SUBMISSION } from "../requests.ts";

/** Younger than an idempotency key's lifetime, so that all of them still exist. */
const SPAN_MS = 20 * 60 * 60 * 1000;
const ACTOR = { id: "u-1", name: "Ada Lovelace" };
/** Within KV's limits for the bytes of keys and values per commit: 81,920 and 819,200. */
const REQUESTS_PER_COMMIT = 200;
const COMMITS_IN_FLIGHT = 4;

/** The tenant whose own context has a tenth of all requests. */
export const DEEP_TENANT = "acme";
/** The tenants whose runs have the other requests. */
export const WIDE_TENANTS = Array.from({ length: 10 }, (_, i) => `t-${i}`);
const MAX_RUNS = 1000;

/** Returns the number of runs of each wide tenant: 1,000, or so many that each has a request. */
export function runsPerTenant(records: number): number {
  return Math.max(1, Math.min(MAX_RUNS, Math.floor(records * 0.9 / WIDE_TENANTS.length)));
}

/** Returns the context of the request at an index: every tenth is in the deep context. */
export function contextAt(index: number, records: number): SupportContext {
  if (index % 10 === 0) return { kind: "tenant", tenantId: DEEP_TENANT };
  const wide = index - Math.ceil(index / 10);
  const tenantId = WIDE_TENANTS[wide % WIDE_TENANTS.length]!;
  const run = Math.floor(wide / WIDE_TENANTS.length) % runsPerTenant(records);
  return { kind: "run", tenantId, runId: `r-${String(run).padStart(5, "0")}` };
}

/** Writes the requests in the order of their creation. Resolves when all are stored. */
export async function fill(kv: Deno.Kv, records: number): Promise<void> {
  const started = Date.now();
  let next = 0;
  const writer = async () => {
    while (next < records) {
      const atomic = kv.atomic();
      const first = next;
      next = Math.min(records, first + REQUESTS_PER_COMMIT);
      for (let index = first, end = next; index < end; index++) {
        const createdAt = Math.floor(started - SPAN_MS * (1 - index / records));
        const writes = requestWrites(contextAt(index, records), createdAt, index);
        for (const { key, value, options } of writes) atomic.set(key, value, options);
      }
      await atomic.commit();
    }
  };
  await Promise.all(Array.from({ length: COMMITS_IN_FLIGHT }, writer));
}

/** Returns what the commits of one submission and of its finalization leave in the store. */
function requestWrites(context: SupportContext, createdAt: number, index: number): Write[] {
  const ttl = () => ({});
  const since = toTimestamp(createdAt);
  const handoff = { status: "pending", since, until: toTimestamp(createdAt + 5000) } as const;
  const request: SupportRequest = {
    schema: 1,
    reference: generateReference(createdAt),
    context,
    ...SUBMISSION,
    createdAt: since,
    createdBy: ACTOR,
    handoff,
  };
  // Unique in the context, as the service's are: it takes the next microsecond for the same time.
  const ts = createdAt * 1000 + index % 1000;
  const submitted = submittedChange(request, ts, ttl);
  const claim = {
    tenantId: context.tenantId,
    actorId: ACTOR.id,
    key: crypto.randomUUID(),
    fingerprint: fingerprint(context, { ...SUBMISSION, handoff: { mode: "create" } }),
    expiresAt: createdAt + KEY_LIFETIME_MS,
    replaces: null,
  };
  claimKey(submitted, claim, requestKey(context, ts), Date.now());
  const number = String(index + 1);
  const ticket = {
    reference: number,
    url: `https://rt.example.com/Ticket/Display.html?id=${number}`,
  };
  const finalized = finalizedChange(
    { request, ts, versionstamp: "", record: request, isNewer: false },
    { status: "created", ticket, at: toTimestamp(createdAt + 300) },
    ACTOR,
    ttl,
  );
  const [_pending, ...others] = submitted.sets;
  return [...finalized.sets, ...others];
}
