import { auditEvent } from "../domain/model/audit.ts";
import type { SupportContext } from "../domain/model/context.ts";
import { type FinalHandoff, toTimestamp } from "../domain/model/handoff.ts";
import {
  type AppendResult,
  type KeyClaim,
  type Store,
  type StoredRequest,
  StoreUnavailableError,
} from "../domain/ports/store.ts";
import type { Clock } from "../domain/ports/clock.ts";
import type { SupportRequest } from "../domain/model/support_request.ts";
import { call, type KvHandle } from "./client/call.ts";
import type { Change } from "./client/change.ts";
import type { GroupCommit } from "./client/group_commit.ts";
import { claimKey } from "./idempotency_keys.ts";
import { auditKey, requestKey } from "./keys.ts";
import { LatestRequestReader, readLastEntry, readLatest } from "./latest_reads.ts";
import { finalizeRecord, sortKey, toStored } from "./records.ts";
import type { Retention } from "./retention.ts";
import { SortKeyAllocator } from "./sort_keys.ts";

/** Maximum number of sort keys that are tried for one record. */
const MAX_SORT_KEY_ATTEMPTS = 100;

export interface RequestsOptions {
  clock: Pick<Clock, "now">;
  retention: Retention;
  /** Whether this process is the store's only writer. */
  isExclusive: boolean;
  commits: GroupCommit;
}

type Requests = Pick<Store, "append" | "latest" | "reload" | "finalize" | "recordSuperseded">;

/**
 * The part of the store that holds support requests, each with the audit events of its changes. If
 * `reader` is a separate handle, reads do not wait for commits.
 */
export function createRequests(reader: KvHandle, options: RequestsOptions): Requests {
  const { clock, retention, isExclusive, commits } = options;
  // Uses the key only: a record that does not parse must not block new submissions.
  const readLastSortKey = async (context: SupportContext) => {
    const entry = await readLastEntry(reader, context);
    return entry === undefined ? 0 : sortKey(entry.key);
  };
  const sortKeys = new SortKeyAllocator(readLastSortKey, isExclusive);
  const latestRequests = new LatestRequestReader(reader, {
    sortKeys,
    hasUncertainCommits: () => commits.hasUncertainCommits(),
  });

  function unlessExpired(stored: StoredRequest | null): StoredRequest | null {
    if (stored === null) return null;
    return retention.isExpired(stored.request.createdAt, clock.now()) ? null : stored;
  }

  /** Returns null if the sort key is taken. */
  async function tryAppend(
    request: SupportRequest,
    ts: number,
    claim?: KeyClaim,
  ): Promise<AppendResult | null> {
    const { context, reference, createdAt } = request;
    const key = requestKey(context, ts);
    const ttl = retention.ttlOptions(createdAt, clock.now());
    const event = auditEvent(
      "request.submitted",
      request,
      request.createdBy,
      request.handoff,
      createdAt,
    );
    const eventKey = auditKey(context.tenantId, { ts, reference, event: event.event });
    const change: Change = {
      checks: [{ key, versionstamp: null }],
      sets: [
        { key, value: request, options: ttl },
        { key: eventKey, value: event, options: ttl },
      ],
    };
    const keyCheck = claim && claimKey(change, claim, key, clock.now());
    const committed = await commits.commit(change);
    if (committed.ok) {
      const { versionstamp } = committed;
      const stored = { request, ts, versionstamp, record: request, isNewer: false };
      return { outcome: "stored", stored };
    }
    const isKeyTaken = keyCheck !== undefined && committed.failed.includes(keyCheck);
    return isKeyTaken ? { outcome: "key_taken" } : null;
  }

  return {
    append(request, claim) {
      return sortKeys.write(
        request.context,
        Date.parse(request.createdAt),
        async (ts, next, stored) => {
          for (let attempt = 0; attempt < MAX_SORT_KEY_ATTEMPTS; attempt++) {
            const appended = await tryAppend(request, ts, claim);
            if (appended?.outcome === "stored") stored(ts);
            if (appended !== null) return appended;
            ts = await next();
          }
          throw noFreeSortKeyError();
        },
      );
    },

    async latest(context) {
      return unlessExpired(
        await (isExclusive ? latestRequests.read(context) : readLatest(reader, context)),
      );
    },

    async reload({ request, ts }) {
      const key = requestKey(request.context, ts);
      return unlessExpired(toStored(await call(reader, (kv) => kv.get(key))));
    },

    async finalize(stored, handoff, actor = stored.request.createdBy) {
      assertNotNewer(stored);
      const { request, ts, versionstamp } = stored;
      const { context, reference, createdAt } = request;
      const key = requestKey(context, ts);
      const event = auditEvent(eventName(handoff), request, actor, handoff, handoff.at);
      const position = { ts: finalizationTs(stored, handoff), reference, event: event.event };
      const now = clock.now();
      const { ok } = await commits.commit({
        checks: [{ key, versionstamp }],
        sets: [
          {
            key,
            value: finalizeRecord(stored, handoff),
            options: retention.ttlOptions(createdAt, now),
          },
          {
            key: auditKey(context.tenantId, position),
            value: event,
            options: retention.ttlOptions(event.at, now),
          },
        ],
      });
      return ok;
    },

    async recordSuperseded(stored, handoff, actor = stored.request.createdBy) {
      assertNotNewer(stored);
      const { context, reference, handoff: present } = stored.request;
      const previous = "at" in present ? finalizationTs(stored, present) : stored.ts;
      const now = clock.now();
      const event = auditEvent(
        "handoff.superseded",
        stored.request,
        actor,
        handoff,
        toTimestamp(now),
      );
      const ttl = retention.ttlOptions(event.at, now);
      let ts = Math.max(now * 1000, previous + 1);
      for (let attempt = 0; attempt < MAX_SORT_KEY_ATTEMPTS; attempt++, ts++) {
        const key = auditKey(context.tenantId, { ts, reference, event: event.event });
        const { ok } = await commits.commit({
          checks: [{ key, versionstamp: null }],
          sets: [{ key, value: event, options: ttl }],
        });
        if (ok) return;
      }
      throw noFreeSortKeyError();
    },
  };
}

function noFreeSortKeyError(): StoreUnavailableError {
  return new StoreUnavailableError(
    `KV contention: ${MAX_SORT_KEY_ATTEMPTS} sort keys in a row were taken`,
  );
}

/** Fails on a bug of the caller: unknown fields of the record could contradict what is written. */
function assertNotNewer({ isNewer }: StoredRequest): void {
  if (isNewer) throw new Error("a record of a newer version must not be written");
}

function eventName(handoff: FinalHandoff): "handoff.created" | "handoff.failed" {
  return `handoff.${handoff.status}`;
}

/** Returns a sort key that keeps a request's events in order even if the clock has jumped back. */
function finalizationTs({ ts }: StoredRequest, { at }: { at: string }): number {
  return Math.max(Date.parse(at) * 1000, ts + 1);
}
