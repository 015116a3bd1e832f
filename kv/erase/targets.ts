import * as z from "zod";
import type { Clock } from "../../domain/ports/clock.ts";
import { call, type KvHandle } from "../client/call.ts";
import { auditPrefix, contextPrefix, kindPrefix, ownerPrefix, runsOf } from "../keys.ts";
import type { Retention } from "../retention.ts";
import { addTicket, type CountName, type Tally } from "./tally.ts";

/** Which records are deleted; `expired` are those of all tenants whose retention period is over. */
export type ErasureScope =
  | { kind: "tenant"; tenantId: string }
  | { kind: "actor"; tenantId: string; actorId: string }
  | { kind: "expired" };

/** A record to be deleted, or an audit event to be replaced by one without its actor. */
export type Target =
  | { kind: CountName; key: Deno.KvKey }
  | { kind: "anonymized"; key: Deno.KvKey; value: unknown; options: { expireIn?: number } };

/** Number of entries per read, so that each read is within the timeout of a KV call. */
const PAGE_SIZE = 100;
/** Replaces the person who resumed somebody else's request. */
const ANONYMOUS = { id: "erased" };

/** Only what identifies the owner: a newer version may write the rest in another form. */
const RequestOwner = z.object({
  reference: z.string(),
  createdAt: z.string(),
  createdBy: z.object({ id: z.string() }),
  handoff: z.unknown(),
});
const EventOwner = z.looseObject({
  event: z.string(),
  at: z.string(),
  reference: z.string(),
  actor: z.looseObject({ id: z.string() }),
});

export interface TargetsOptions {
  clock: Pick<Clock, "now">;
  retention: Retention;
}

/** Finds the records of a scope. */
export class Targets {
  #kv: KvHandle;
  #options: TargetsOptions;

  constructor(kv: KvHandle, options: TargetsOptions) {
    this.#kv = kv;
    this.#options = options;
  }

  /**
   * Yields the records to delete, and adds tickets and records that do not parse to the tally.
   * Requests come last: while they exist, they show which events and leases belong to them, so that
   * an interrupted erasure can be completed.
   *
   * @param references collects the references of the scope's requests
   * @throws {StoreUnavailableError}
   */
  async *find(scope: ErasureScope, tally: Tally, references: Set<string>): AsyncGenerator<Target> {
    const unreadable = () => void tally.unreadable++;
    for await (const { reference } of this.#requests(scope, unreadable)) references.add(reference);
    yield* this.#auditEvents(scope, tally, references);
    if (scope.kind !== "expired") {
      const actorId = scope.kind === "actor" ? scope.actorId : undefined;
      const kinds = [["idempotencyKeys", "idempotency"], ["rateCounters", "rate"]] as const;
      for (const [kind, name] of kinds) {
        const prefix = ownerPrefix(name, scope.tenantId, actorId);
        for await (const { key } of this.#list({ prefix })) yield { kind, key };
      }
    }
    for await (const { key } of this.#list({ prefix: kindPrefix("lease") })) {
      if (references.has(String(key[1]))) yield { kind: "leases", key };
    }
    for await (const { key, reference, request } of this.#requests(scope)) {
      references.add(reference);
      if (request !== undefined) addTicket(tally, request);
      yield { kind: "supportRequests", key };
    }
  }

  async *#requests(scope: ErasureScope, unreadable = () => {}) {
    const selectors = scope.kind === "expired"
      ? [{ prefix: kindPrefix("tenant") }, { prefix: kindPrefix("run") }]
      : [
        { prefix: contextPrefix({ kind: "tenant", tenantId: scope.tenantId }) },
        runsOf(scope.tenantId),
      ];
    for (const selector of selectors) {
      for await (const { key, value } of this.#list(selector)) {
        const request = RequestOwner.safeParse(value).data;
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
    scope: ErasureScope,
    tally: Tally,
    references: Set<string>,
  ): AsyncGenerator<Target> {
    const { clock, retention } = this.#options;
    const prefix = scope.kind === "expired" ? kindPrefix("audit") : auditPrefix(scope.tenantId);
    for await (const { key, value } of this.#list({ prefix })) {
      const event = EventOwner.safeParse(value).data;
      if (scope.kind === "tenant") {
        yield { kind: "auditEvents", key };
      } else if (event === undefined) {
        tally.unreadable++;
      } else if (scope.kind === "actor" && references.has(event.reference)) {
        yield { kind: "auditEvents", key };
      } else if (this.#isIn(scope, event.actor.id, event.at)) {
        const isOwn = scope.kind === "expired" || event.event === "request.submitted";
        if (isOwn) yield { kind: "auditEvents", key };
        else if (!isAnonymous(event.actor)) {
          yield {
            kind: "anonymized",
            key,
            value: { ...event, actor: ANONYMOUS },
            options: retention.ttlOptions(event.at, clock.now()),
          };
        }
      }
    }
  }

  #isIn(scope: Exclude<ErasureScope, { kind: "tenant" }>, actorId: string, at: string): boolean {
    const { clock, retention } = this.#options;
    return scope.kind === "actor"
      ? scope.actorId === actorId
      : retention.isExpired(at, clock.now());
  }

  /** Yields all entries, read in pages. Entries that were yielded may be deleted in the meantime. */
  async *#list(selector: Deno.KvListSelector): AsyncGenerator<Deno.KvEntry<unknown>> {
    let cursor: string | undefined;
    do {
      const [entries, next] = await call(this.#kv, async (kv) => {
        const iterator = kv.list(selector, { limit: PAGE_SIZE, cursor });
        return [await Array.fromAsync(iterator), iterator.cursor] as const;
      });
      yield* entries;
      cursor = entries.length < PAGE_SIZE ? "" : next;
    } while (cursor !== "");
  }
}

/**
 * Returns whether an event has no person as its actor. True for a person with the ID `erased`, too, who
 * would otherwise be found again in each pass.
 */
function isAnonymous(actor: z.infer<typeof EventOwner>["actor"]): boolean {
  return actor.id === ANONYMOUS.id && Object.keys(actor).length === 1;
}
