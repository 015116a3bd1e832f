import { auditEvent } from "../domain/model/audit.ts";
import type { SupportContext } from "../domain/model/context.ts";
import { type FinalHandoff, toTimestamp } from "../domain/model/handoff.ts";
import { FINGERPRINT_VERSION } from "../domain/model/idempotency.ts";
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
import { lastEntry, LatestRequestReader, readLatest } from "./latest_reads.ts";
import type { GroupCommit } from "./client/group_commit.ts";
import { auditKey, idempotencyKey, requestKey } from "./keys.ts";
import { finalizedRecord, type IdempotencyRecord, sortKey, toStored } from "./records.ts";
import type { Retention } from "./retention.ts";
import { SortKeyAllocator } from "./sort_keys.ts";

/** How often a taken sort key is exchanged for the next. */
const MAX_COLLISIONS = 100;

export interface RequestsOptions {
  clock: Pick<Clock, "now">;
  retention: Retention;
  /** Whether no other process writes to this store. */
  isExclusive: boolean;
  commits: GroupCommit;
}

type Requests = Pick<Store, "append" | "latest" | "reload" | "finalize" | "recordSuperseded">;

/**
 * The part of the store that keeps support requests, each with the audit of its changes. What is
 * read does not wait for what is written, where the reader is a handle of its own.
 */
export function createRequests(reader: KvHandle, options: RequestsOptions): Requests {
  const { clock, retention, isExclusive, commits } = options;
  // Only the key is read: what does not parse must not keep others from asking.
  const readLast = async (context: SupportContext) => {
    const entry = await lastEntry(reader, context);
    return entry === undefined ? 0 : sortKey(entry.key);
  };
  const sequence = new SortKeyAllocator(readLast, isExclusive);
  const latestReads = new LatestRequestReader(reader, {
    sequence,
    mayLand: () => commits.hasUncertainCommits(),
  });

  /** KV serves a record for up to a minute after it has expired. */
  function served(stored: StoredRequest | null): StoredRequest | null {
    const isOver = stored !== null && retention.isExpired(stored.request.createdAt, clock.now());
    return isOver ? null : stored;
  }

  /** Null where the sort key is taken. */
  async function tryAppend(
    request: SupportRequest,
    ts: number,
    claim?: KeyClaim,
  ): Promise<AppendResult | null> {
    const { context, reference, createdAt } = request;
    const key = requestKey(context, ts);
    const kept = retention.ttlOptions(createdAt, clock.now());
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
        { key, value: request, options: kept },
        { key: eventKey, value: event, options: kept },
      ],
    };
    if (claim !== undefined) {
      const { fingerprint, expiresAt, replaces } = claim;
      const fingerprintVersion = FINGERPRINT_VERSION;
      const record = { recordKey: key, fingerprint, fingerprintVersion, expiresAt };
      const value = record as IdempotencyRecord;
      const expireIn = Math.max(1, expiresAt - clock.now());
      change.checks.push({ key: idempotencyKey(claim), versionstamp: replaces });
      change.sets.push({ key: idempotencyKey(claim), value, options: { expireIn } });
    }
    const committed = await commits.commit(change);
    if (committed.ok) {
      const { versionstamp } = committed;
      const stored = { request, ts, versionstamp, record: request, isNewer: false };
      return { outcome: "stored", stored };
    }
    const isKeyTaken = claim !== undefined && committed.failed.includes(change.checks[1]!);
    return isKeyTaken ? { outcome: "key_taken" } : null;
  }

  return {
    append(request, claim) {
      return sequence.write(
        request.context,
        Date.parse(request.createdAt),
        async (ts, next, stored) => {
          for (let tries = 0; tries < MAX_COLLISIONS; tries++) {
            const appended = await tryAppend(request, ts, claim);
            if (appended?.outcome === "stored") stored(ts);
            if (appended !== null) return appended;
            ts = await next();
          }
          throw new StoreUnavailableError("KV is contended: every sort key was taken");
        },
      );
    },

    async latest(context) {
      return served(await (isExclusive ? latestReads.read(context) : readLatest(reader, context)));
    },

    async reload({ request, ts }) {
      return served(toStored(await call(reader, (kv) => kv.get(requestKey(request.context, ts)))));
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
            value: finalizedRecord(stored, handoff),
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
      const kept = retention.ttlOptions(event.at, now);
      let ts = Math.max(now * 1000, previous + 1);
      for (let tries = 0; tries < MAX_COLLISIONS; tries++, ts++) {
        const key = auditKey(context.tenantId, { ts, reference, event: event.event });
        const { ok } = await commits.commit({
          checks: [{ key, versionstamp: null }],
          sets: [{ key, value: event, options: kept }],
        });
        if (ok) return;
      }
      throw new StoreUnavailableError("KV is contended: every sort key was taken");
    },
  };
}

/** A caller that gets here has a bug: what is unknown in the record may contradict what is written. */
function assertNotNewer({ isNewer }: StoredRequest): void {
  if (isNewer) throw new Error("a record of a newer version must not be written");
}

function eventName(handoff: FinalHandoff): "handoff.created" | "handoff.failed" {
  return `handoff.${handoff.status}`;
}

/** A request's events are in order even where the clock jumped back between them. */
function finalizationTs({ ts }: StoredRequest, { at }: { at: string }): number {
  return Math.max(Date.parse(at) * 1000, ts + 1);
}
