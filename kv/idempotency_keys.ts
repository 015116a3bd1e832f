import type { Clock } from "../domain/ports/clock.ts";
import type { Store } from "../domain/ports/store.ts";
import { call, type KvHandle } from "./client/call.ts";
import { idempotencyKey } from "./keys.ts";
import { IdempotencyRecord, toStored } from "./records.ts";

/** The part of the store that knows which idempotency keys are taken, and by what. */
export function createIdempotencyKeys(
  kv: KvHandle,
  clock: Pick<Clock, "now">,
): Pick<Store, "findKey"> {
  return {
    async findKey(scope) {
      const { value, versionstamp } = await call(kv, (kv) => kv.get(idempotencyKey(scope)));
      if (versionstamp === null) return { outcome: "free", versionstamp };
      const { recordKey, fingerprint, fingerprintVersion, expiresAt } = IdempotencyRecord.parse(
        value,
      );
      // KV serves a record for up to a minute after it has expired.
      if (expiresAt <= clock.now()) return { outcome: "free", versionstamp };
      const stored = toStored(await call(kv, (kv) => kv.get(recordKey)));
      return stored === null
        ? { outcome: "free", versionstamp }
        : { outcome: "taken", fingerprint, fingerprintVersion, stored };
    },
  };
}
