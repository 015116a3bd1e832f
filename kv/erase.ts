import { z } from "zod";
import type { Erasure } from "../domain/audit.ts";
import { timestamp } from "../domain/handoff.ts";
import { type Clock, StoreUnavailable } from "../domain/ports.ts";
import { call, type KvHandle } from "./call.ts";
import { keySize } from "./change.ts";
import { auditPrefix, erasureKey, runsOf } from "./keys.ts";
import type { Retention } from "./retention.ts";

/** Whose records are deleted, or all that `RETENTION_DAYS` does not keep. */
export type Scope =
  | { kind: "tenant"; tenantId: string }
  | { kind: "actor"; tenantId: string; actorId: string }
  | { kind: "expired" };

/** What was found, or deleted. */
export interface Tally extends Pick<Erasure, "deleted" | "anonymizedAuditEvents"> {
  /** Numbers of tickets that the deleted requests have at the desk. */
  tickets: Set<string>;
  /** References of deleted requests that may have a ticket of which no number is known. */
  doubtful: Set<string>;
  /** Records that cannot be read and therefore belong to nobody. They stay. */
  unreadable: number;
}

export interface EraserOptions {
  clock: Pick<Clock, "now" | "wait">;
  retention: Retention;
  /** Whether no other process writes to this store. */
  isExclusive: boolean;
  /** Of one commit; KV takes 1,000. */
  maxMutations?: number;
}

/** Read at a time, so that each read is within the deadline of a call. */
const PAGE = 100;
const MAX_MUTATIONS = 100;
/** Of one commit; KV takes 81,920. */
const MAX_KEY_BYTES = 60_000;
/** What was in progress when a pass read the store has been written by then. */
const IN_FLIGHT_MS = 5_000;
const MAX_PASSES = 10;
/** In the place of the person who resumed somebody else's request. */
const ANONYMOUS = { id: "erased" };

const StoredRequest = z.object({
  reference: z.string(),
  createdAt: z.string(),
  createdBy: z.object({ id: z.string() }),
  handoff: z.object({
    status: z.string(),
    ticket: z.object({ reference: z.string() }).optional(),
    ticketMayExist: z.boolean().optional(),
  }),
});
const StoredEvent = z.looseObject({
  event: z.string(),
  at: z.string(),
  reference: z.string(),
  actor: z.object({ id: z.string() }),
});

type CountName = keyof Erasure["deleted"];

/** One record to be deleted, or to be replaced by one without a person. */
type Target =
  | { kind: CountName; key: Deno.KvKey }
  | { kind: "anonymized"; key: Deno.KvKey; value: unknown; options: { expireIn?: number } };

/** Deletes records of a tenant, of one actor in it, or whose retention is over. */
export class Eraser {
  #kv: KvHandle;
  #options: EraserOptions;

  constructor(kv: KvHandle, options: EraserOptions) {
    this.#kv = kv;
    this.#options = options;
  }

  /**
   * Counts what {@linkcode erase} would delete now.
   *
   * @throws {StoreUnavailable}
   */
  async find(scope: Scope): Promise<Tally> {
    const tally = newTally();
    for await (const target of this.#targets(scope, tally, new Set())) add(tally, target);
    return tally;
  }

  /**
   * Deletes until nothing is left. Each commit also counts what it deletes in one `erasure` record,
   * so that the store tells what was deleted wherever this ends; what is left then, another call
   * deletes.
   *
   * @throws {StoreUnavailable} also if records keep being written.
   */
  async erase(scope: Scope): Promise<Tally> {
    const { clock, isExclusive } = this.#options;
    const tally = newTally();
    const log = new ErasureLog(scope, clock.now());
    // Of all passes: a request that is gone may get its last audit event after it.
    const references = new Set<string>();
    for (let pass = 0; pass < MAX_PASSES; pass++) {
      if (pass > 0 && !isExclusive) await clock.wait(IN_FLIGHT_MS);
      tally.unreadable = 0;
      if (await this.#pass(scope, tally, references, log) === 0) return tally;
    }
    throw new StoreUnavailable(
      "Records are still being written: withdraw the tokens, then erase again",
    );
  }

  /** Returns how many records it has deleted or replaced. */
  async #pass(
    scope: Scope,
    tally: Tally,
    references: Set<string>,
    log: ErasureLog,
  ): Promise<number> {
    const { maxMutations = MAX_MUTATIONS } = this.#options;
    let count = 0;
    let batch: Target[] = [];
    let keyBytes = 0;
    const commit = async () => {
      for (const target of batch) add(tally, target);
      await this.#commit(batch, tally, log);
      count += batch.length;
      batch = [];
      keyBytes = 0;
    };
    for await (const target of this.#targets(scope, tally, references)) {
      const size = keySize(target.key);
      if (batch.length === maxMutations || keyBytes + size > MAX_KEY_BYTES) await commit();
      batch.push(target);
      keyBytes += size;
    }
    if (batch.length > 0) await commit();
    return count;
  }

  async #commit(batch: Target[], tally: Tally, log: ErasureLog): Promise<void> {
    for (;;) {
      const { ok } = await call(this.#kv, (kv) => {
        const atomic = kv.atomic();
        for (const target of batch) {
          if (target.kind !== "anonymized") atomic.delete(target.key);
          else atomic.set(target.key, target.value, target.options);
        }
        log.write(atomic, tally);
        return atomic.commit();
      });
      if (ok) return log.written();
      log.collided();
    }
  }

  /**
   * What is to be deleted. Requests come last: as long as they are there, they tell which events
   * and leases belong to them, so that an erasure that was interrupted can be finished.
   */
  async *#targets(scope: Scope, tally: Tally, references: Set<string>): AsyncGenerator<Target> {
    const unreadable = () => void tally.unreadable++;
    for await (const { reference } of this.#requests(scope, unreadable)) references.add(reference);
    yield* this.#auditEvents(scope, tally, references);
    if (scope.kind !== "expired") {
      const owner = scope.kind === "actor" ? [scope.tenantId, scope.actorId] : [scope.tenantId];
      const kinds = [["idempotencyKeys", "idempotency"], ["rateCounters", "rate"]] as const;
      for (const [kind, name] of kinds) {
        for await (const { key } of this.#list({ prefix: [name, ...owner] })) yield { kind, key };
      }
    }
    for await (const { key } of this.#list({ prefix: ["lease"] })) {
      if (references.has(String(key[1]))) yield { kind: "leases", key };
    }
    for await (const { key, reference, request } of this.#requests(scope)) {
      references.add(reference);
      if (request !== undefined) noteTicket(request, tally);
      yield { kind: "supportRequests", key };
    }
  }

  async *#requests(scope: Scope, unreadable = () => {}) {
    const selectors = scope.kind === "expired"
      ? [{ prefix: ["tenant"] }, { prefix: ["run"] }]
      : [{ prefix: ["tenant", scope.tenantId] }, runsOf(scope.tenantId)];
    for (const selector of selectors) {
      for await (const { key, value } of this.#list(selector)) {
        const request = StoredRequest.safeParse(value).data;
        const reference = request?.reference ?? "";
        if (scope.kind === "tenant") yield { key, reference, request };
        else if (request === undefined) unreadable();
        else if (this.#isIn(scope, request.createdBy.id, request.createdAt)) {
          yield { key, reference, request };
        }
      }
    }
  }

  async *#auditEvents(
    scope: Scope,
    tally: Tally,
    references: Set<string>,
  ): AsyncGenerator<Target> {
    const { clock, retention } = this.#options;
    const prefix = scope.kind === "expired" ? ["audit"] : auditPrefix(scope.tenantId);
    for await (const { key, value } of this.#list({ prefix })) {
      const event = StoredEvent.safeParse(value).data;
      if (scope.kind === "tenant") {
        yield { kind: "auditEvents", key };
      } else if (event === undefined) {
        tally.unreadable++;
      } else if (scope.kind === "actor" && references.has(event.reference)) {
        yield { kind: "auditEvents", key };
      } else if (this.#isIn(scope, event.actor.id, event.at)) {
        const isOwn = scope.kind === "expired" || event.event === "request.submitted";
        yield isOwn ? { kind: "auditEvents", key } : {
          kind: "anonymized",
          key,
          value: { ...event, actor: ANONYMOUS },
          options: retention.left(event.at, clock.now()),
        };
      }
    }
  }

  #isIn(scope: Exclude<Scope, { kind: "tenant" }>, actorId: string, at: string): boolean {
    const { clock, retention } = this.#options;
    return scope.kind === "actor" ? scope.actorId === actorId : retention.isOver(at, clock.now());
  }

  /** All entries, a page at a time; those behind the last page may be deleted meanwhile. */
  async *#list(selector: Deno.KvListSelector): AsyncGenerator<Deno.KvEntry<unknown>> {
    let cursor: string | undefined;
    do {
      const [entries, next] = await call(this.#kv, async (kv) => {
        const iterator = kv.list(selector, { limit: PAGE, cursor });
        return [await Array.fromAsync(iterator), iterator.cursor] as const;
      });
      yield* entries;
      cursor = entries.length < PAGE ? "" : next;
    } while (cursor !== "");
  }
}

/** The record of one erasure. What KV drops by itself leaves none, so neither does `expired`. */
class ErasureLog {
  #scope: Scope;
  #at: number;
  #ts: number;
  #isNew = true;

  constructor(scope: Scope, now: number) {
    this.#scope = scope;
    this.#at = now;
    this.#ts = now * 1000;
  }

  write(atomic: Deno.AtomicOperation, { deleted, anonymizedAuditEvents }: Tally): void {
    if (this.#scope.kind === "expired") return;
    const { kind, tenantId } = this.#scope;
    const key = erasureKey(tenantId, this.#ts);
    const erasure: Erasure = {
      event: `${kind}.erased`,
      at: timestamp(this.#at),
      deleted,
      anonymizedAuditEvents,
    };
    if (this.#isNew) atomic.check({ key, versionstamp: null });
    atomic.set(key, erasure);
  }

  written(): void {
    this.#isNew = false;
  }

  /** Another erasure has begun at the same time. */
  collided(): void {
    this.#ts++;
  }
}

function newTally(): Tally {
  return {
    deleted: {
      supportRequests: 0,
      auditEvents: 0,
      idempotencyKeys: 0,
      leases: 0,
      rateCounters: 0,
    },
    anonymizedAuditEvents: 0,
    tickets: new Set(),
    doubtful: new Set(),
    unreadable: 0,
  };
}

function add(tally: Tally, { kind }: Target): void {
  if (kind === "anonymized") tally.anonymizedAuditEvents++;
  else tally.deleted[kind]++;
}

function noteTicket({ reference, handoff }: z.infer<typeof StoredRequest>, tally: Tally): void {
  if (handoff.ticket !== undefined) tally.tickets.add(handoff.ticket.reference);
  else if (handoff.ticketMayExist || handoff.status === "pending") tally.doubtful.add(reference);
}
