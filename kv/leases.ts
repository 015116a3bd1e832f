import type { Clock, Store } from "../domain/ports.ts";
import { call, type KvHandle } from "./call.ts";
import type { GroupCommit } from "./group_commit.ts";
import { leaseKey } from "./keys.ts";
import { LeaseRecord } from "./records.ts";

/** The part of the store that says who may resume an interrupted handoff. */
export function createLeases(
  kv: KvHandle,
  clock: Pick<Clock, "now">,
  commits: GroupCommit,
): Pick<Store, "takeLease" | "releaseLease"> {
  return {
    async takeLease(reference, until) {
      const key = leaseKey(reference);
      const { value, versionstamp } = await call(kv, (kv) => kv.get(key));
      const now = clock.now();
      if (versionstamp !== null && LeaseRecord.parse(value).until > now) return null;
      const lease: LeaseRecord = { until, holder: crypto.randomUUID() };
      const committed = await commits.commit({
        checks: [{ key, versionstamp }],
        sets: [{ key, value: lease, options: { expireIn: Math.max(1, until - now) } }],
      });
      return committed.ok ? { reference, versionstamp: committed.versionstamp } : null;
    },

    async releaseLease({ reference, versionstamp }) {
      const key = leaseKey(reference);
      await call(kv, (kv) => kv.atomic().check({ key, versionstamp }).delete(key).commit());
    },
  };
}
