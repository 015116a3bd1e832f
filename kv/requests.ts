import { auditEvent } from "../domain/model/audit.ts";
import type { SupportContext } from "../domain/model/context.ts";
import { type FinalHandoff, toTimestamp } from "../domain/model/handoff.ts";
import type { Actor, SupportRequest } from "../domain/model/support_request.ts";
import type { Clock } from "../domain/ports/clock.ts";
import {
  type AppendResult,
  type KeyClaim,
  type Store,
  type StoredRequest,
  StoreUnavailableError,
} from "../domain/ports/store.ts";
import { call, type KvHandle } from "./client/call.ts";
import type { GroupCommit } from "./client/group_commit.ts";
import { claimKey } from "./idempotency_keys.ts";
import { requestKey } from "./keys.ts";
import { LatestRequestReader, readLastEntry, readLatest } from "./latest_reads.ts";
import { RecentKeys } from "./recent_keys.ts";
import { sortKey, toStored } from "./records.ts";
import {
  auditChange,
  finalizationTs,
  finalizedChange,
  submittedChange,
  type TtlOptions,
} from "./request_changes.ts";
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

type RequestStore = Pick<Store, "append" | "latest" | "reload" | "finalize" | "recordSuperseded">;

/**
 * The part of the store that holds support requests, each with the audit events of its changes
 * (`request_changes.ts`). If `reader` is a separate handle, reads do not wait for commits.
 */
export class Requests implements RequestStore {
  #reader: KvHandle;
  #clock: Pick<Clock, "now">;
  #retention: Retention;
  #isExclusive: boolean;
  #commits: GroupCommit;
  #sortKeys: SortKeyAllocator;
  #latestRequests: LatestRequestReader;
  #recentKeys = new RecentKeys();

  constructor(reader: KvHandle, { clock, retention, isExclusive, commits }: RequestsOptions) {
    this.#reader = reader;
    this.#clock = clock;
    this.#retention = retention;
    this.#isExclusive = isExclusive;
    this.#commits = commits;
    this.#sortKeys = new SortKeyAllocator((context) => this.#readLastSortKey(context), isExclusive);
    this.#latestRequests = new LatestRequestReader(reader, {
      sortKeys: this.#sortKeys,
      hasUncertainCommits: () => commits.hasUncertainCommits(),
    });
  }

  append(request: SupportRequest, claim?: KeyClaim): Promise<AppendResult> {
    if (claim !== undefined && this.#recentKeys.shouldLookUp(claim)) {
      return Promise.resolve({ outcome: "key_taken" });
    }
    return this.#sortKeys.write(
      request.context,
      Date.parse(request.createdAt),
      async (ts, next, stored) => {
        for (let attempt = 0; attempt < MAX_SORT_KEY_ATTEMPTS; attempt++) {
          const appended = await this.#tryAppend(request, ts, claim);
          if (appended?.outcome === "stored") stored(ts);
          if (appended !== null) return appended;
          ts = await next();
        }
        throw noFreeSortKeyError();
      },
    );
  }

  async latest(context: SupportContext): Promise<StoredRequest | null> {
    return this.#unlessExpired(
      await (this.#isExclusive
        ? this.#latestRequests.read(context)
        : readLatest(this.#reader, context)),
    );
  }

  async reload({ request, ts }: StoredRequest): Promise<StoredRequest | null> {
    const key = requestKey(request.context, ts);
    return this.#unlessExpired(toStored(await call(this.#reader, (kv) => kv.get(key))));
  }

  async finalize(
    stored: StoredRequest,
    handoff: FinalHandoff,
    actor: Actor = stored.request.createdBy,
  ): Promise<boolean> {
    assertNotNewer(stored);
    const ttl = this.#ttlAt(this.#clock.now());
    const { ok } = await this.#commits.commit(finalizedChange(stored, handoff, actor, ttl));
    return ok;
  }

  async recordSuperseded(
    stored: StoredRequest,
    handoff: FinalHandoff,
    actor: Actor = stored.request.createdBy,
  ): Promise<void> {
    assertNotNewer(stored);
    const { request } = stored;
    const present = request.handoff;
    const previous = "at" in present ? finalizationTs(stored, present) : stored.ts;
    const now = this.#clock.now();
    const event = auditEvent("handoff.superseded", request, actor, handoff, toTimestamp(now));
    let ts = Math.max(now * 1000, previous + 1);
    for (let attempt = 0; attempt < MAX_SORT_KEY_ATTEMPTS; attempt++, ts++) {
      const { ok } = await this.#commits.commit(auditChange(event, ts, this.#ttlAt(now)));
      if (ok) return;
    }
    throw noFreeSortKeyError();
  }

  /** Returns null if the sort key is taken. */
  async #tryAppend(
    request: SupportRequest,
    ts: number,
    claim?: KeyClaim,
  ): Promise<AppendResult | null> {
    const now = this.#clock.now();
    const change = submittedChange(request, ts, this.#ttlAt(now));
    const keyCheck = claim && claimKey(change, claim, requestKey(request.context, ts), now);
    const committed = await this.#commits.commit(change);
    if (committed.ok) {
      if (claim !== undefined) this.#recentKeys.add(claim);
      const { versionstamp } = committed;
      const stored = { request, ts, versionstamp, record: request, isNewer: false };
      return { outcome: "stored", stored };
    }
    const isKeyTaken = keyCheck !== undefined && committed.failed.includes(keyCheck);
    return isKeyTaken ? { outcome: "key_taken" } : null;
  }

  /** Uses the key only: a record that does not parse must not block new submissions. */
  async #readLastSortKey(context: SupportContext): Promise<number> {
    const entry = await readLastEntry(this.#reader, context);
    return entry === undefined ? 0 : sortKey(entry.key);
  }

  #unlessExpired(stored: StoredRequest | null): StoredRequest | null {
    if (stored === null) return null;
    const { createdAt } = stored.request;
    return this.#retention.isExpired(createdAt, this.#clock.now()) ? null : stored;
  }

  #ttlAt(now: number): TtlOptions {
    return (since) => this.#retention.ttlOptions(since, now);
  }
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
