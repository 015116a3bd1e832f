import { auditEvent } from "../domain/audit.ts";
import type { Context } from "../domain/context.ts";
import {
  type Appended,
  type Clock,
  type KeyClaim,
  type Settled,
  type Store,
  type Stored,
  StoreUnavailable,
} from "../domain/ports.ts";
import type { SupportRequest } from "../domain/support_request.ts";
import { call, type KvHandle } from "./call.ts";
import { auditKey, contextPrefix, idempotencyKey, requestKey } from "./keys.ts";
import { type IdempotencyRecord, toStored } from "./records.ts";
import type { Retention } from "./retention.ts";
import { Sequence } from "./sequence.ts";

/** How often a taken sort key is exchanged for the next. */
const MAX_COLLISIONS = 100;

export interface RequestsOptions {
  clock: Pick<Clock, "now">;
  retention: Retention;
  /** Whether no other process writes to this store. */
  isExclusive: boolean;
}

type Requests = Pick<Store, "append" | "latest" | "reread" | "finalize" | "supersede">;

/** The part of the store that keeps support requests, each with the audit of its changes. */
export function createRequests(kv: KvHandle, options: RequestsOptions): Requests {
  const { clock, retention, isExclusive } = options;
  const sequence = new Sequence(async (context) => (await readLast(context))?.ts ?? 0, isExclusive);

  async function readLast(context: Context): Promise<Stored | null> {
    const [entry] = await call(
      kv,
      (kv) =>
        Array.fromAsync(kv.list({ prefix: contextPrefix(context) }, { limit: 1, reverse: true })),
    );
    return entry === undefined ? null : toStored(entry);
  }

  /** Null where the sort key is taken. */
  async function tryAppend(
    request: SupportRequest,
    ts: number,
    claim?: KeyClaim,
  ): Promise<Appended | null> {
    const { context, reference, createdAt } = request;
    const key = requestKey(context, ts);
    const kept = retention.left(createdAt, clock.now());
    const event = auditEvent("request.submitted", request, request.handoff, Date.parse(createdAt));
    const eventKey = auditKey(context.tenantId, { ts, reference, event: event.event });
    const committed = await call(kv, (kv) => {
      const commit = kv.atomic()
        .check({ key, versionstamp: null })
        .set(key, request, kept)
        .set(eventKey, event, kept);
      if (claim !== undefined) {
        const { fingerprint, expiresAt } = claim;
        const record = { recordKey: key, fingerprint, expiresAt } as IdempotencyRecord;
        commit.check({ key: idempotencyKey(claim), versionstamp: claim.replaces })
          .set(idempotencyKey(claim), record, { expireIn: Math.max(1, expiresAt - clock.now()) });
      }
      return commit.commit();
    });
    if (committed.ok) {
      return { outcome: "stored", stored: { request, ts, versionstamp: committed.versionstamp } };
    }
    // A failed commit does not say which check failed.
    if (claim === undefined) return null;
    const present = await call(kv, (kv) => kv.get(idempotencyKey(claim)));
    return present.versionstamp === claim.replaces ? null : { outcome: "key_taken" };
  }

  return {
    append(request, claim) {
      return sequence.write(request.context, Date.parse(request.createdAt), async (ts, next) => {
        for (let tries = 0; tries < MAX_COLLISIONS; tries++) {
          const appended = await tryAppend(request, ts, claim);
          if (appended !== null) return appended;
          ts = await next();
        }
        throw new StoreUnavailable("KV is contended: every sort key was taken");
      });
    },

    async latest(context) {
      const stored = await readLast(context);
      const isOver = stored && retention.isOver(stored.request.createdAt, clock.now());
      return isOver ? null : stored;
    },

    async reread({ request, ts }) {
      return toStored(await call(kv, (kv) => kv.get(requestKey(request.context, ts))));
    },

    async finalize(stored, handoff) {
      const { ts, versionstamp } = stored;
      const request = { ...stored.request, handoff };
      const { context, reference, createdAt } = request;
      const key = requestKey(context, ts);
      const event = auditEvent(eventOf(handoff), request, handoff, Date.parse(handoff.at));
      const position = { ts: finalizationTs(stored, handoff), reference, event: event.event };
      const committed = await call(kv, (kv) =>
        kv.atomic()
          .check({ key, versionstamp })
          .set(key, request, retention.left(createdAt, clock.now()))
          .set(auditKey(context.tenantId, position), event, retention.left(event.at, clock.now()))
          .commit());
      return committed.ok;
    },

    async supersede(stored, handoff) {
      const { context, reference, handoff: present } = stored.request;
      const previous = "at" in present ? finalizationTs(stored, present) : stored.ts;
      const now = clock.now();
      const event = auditEvent("handoff.superseded", stored.request, handoff, now);
      const kept = retention.left(event.at, now);
      let ts = Math.max(now * 1000, previous + 1);
      for (let tries = 0; tries < MAX_COLLISIONS; tries++, ts++) {
        const key = auditKey(context.tenantId, { ts, reference, event: event.event });
        const committed = await call(
          kv,
          (kv) => kv.atomic().check({ key, versionstamp: null }).set(key, event, kept).commit(),
        );
        if (committed.ok) return;
      }
      throw new StoreUnavailable("KV is contended: every sort key was taken");
    },
  };
}

function eventOf(handoff: Settled): "handoff.created" | "handoff.failed" {
  return `handoff.${handoff.status}`;
}

/** A request's events are in order even where the clock jumped back between them. */
function finalizationTs({ ts }: Stored, { at }: { at: string }): number {
  return Math.max(Date.parse(at) * 1000, ts + 1);
}
