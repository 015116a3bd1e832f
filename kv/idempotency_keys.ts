import * as z from "zod";
import { FINGERPRINT_VERSION } from "../domain/model/idempotency.ts";
import type { Clock } from "../domain/ports/clock.ts";
import type { KeyClaim, Store } from "../domain/ports/store.ts";
import { call, type KvHandle } from "./client/call.ts";
import type { Change } from "./client/change.ts";
import { idempotencyKey, isContextKind, RequestKey } from "./keys.ts";
import { toStored } from "./records.ts";
import { removalTime } from "./retention.ts";

/** The record of an idempotency key: the request that it created, and the submission's fingerprint. */
export const IdempotencyRecord = z.object({
  recordKey: RequestKey,
  fingerprint: z.string(),
  /** Version 1 did not store it. */
  fingerprintVersion: z.int().default(1),
  /** Milliseconds since the epoch. */
  expiresAt: z.number(),
});
export type IdempotencyRecord = z.infer<typeof IdempotencyRecord>;

/**
 * Adds an idempotency key to the change that writes its request, and returns the check that fails if
 * the key is taken.
 *
 * @param recordKey the key of the request
 */
export function claimKey(
  change: Change,
  claim: KeyClaim,
  recordKey: RequestKey,
  now: number,
): Deno.AtomicCheck {
  const { fingerprint, expiresAt, replaces } = claim;
  const key = idempotencyKey(claim);
  const value: IdempotencyRecord = {
    recordKey,
    fingerprint,
    fingerprintVersion: FINGERPRINT_VERSION,
    expiresAt,
  };
  const check = { key, versionstamp: replaces };
  change.checks.push(check);
  const expireIn = Math.max(1, removalTime(expiresAt) - now);
  change.sets.push({ key, value, options: { expireIn } });
  return check;
}

/** As read: a newer version may have other kinds of contexts. */
const StoredRecord = IdempotencyRecord.extend({ recordKey: z.tuple([z.string()], z.unknown()) });

/** The part of the store that looks up idempotency keys. */
export function createIdempotencyKeys(
  kv: KvHandle,
  clock: Pick<Clock, "now">,
): Pick<Store, "findKey"> {
  return {
    async findKey(scope) {
      const { value, versionstamp } = await call(kv, (kv) => kv.get(idempotencyKey(scope)));
      if (versionstamp === null) return { outcome: "free", versionstamp };
      const record = StoredRecord.parse(value);
      // KV returns an expired record until it removes it.
      if (record.expiresAt <= clock.now()) return { outcome: "free", versionstamp };
      if (!isContextKind(record.recordKey[0])) return { outcome: "unreadable" };
      const recordKey = RequestKey.parse(record.recordKey);
      const stored = toStored(await call(kv, (kv) => kv.get(recordKey)));
      if (stored === null) return { outcome: "free", versionstamp };
      const { fingerprint, fingerprintVersion } = record;
      return { outcome: "taken", fingerprint, fingerprintVersion, stored };
    },
  };
}
