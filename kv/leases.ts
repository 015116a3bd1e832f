import * as z from "zod";
import type { Clock } from "../domain/ports/clock.ts";
import type { Store } from "../domain/ports/store.ts";
import { call, type KvHandle } from "./client/call.ts";
import type { GroupCommit } from "./client/group_commit.ts";
import { leaseKey } from "./keys.ts";

/** `until` is in milliseconds since the epoch; `holder` makes each lease unique. */
const LeaseRecord = z.object({ until: z.number(), holder: z.string() });
type LeaseRecord = z.infer<typeof LeaseRecord>;

/** The part of the store that grants leases on resuming an interrupted handoff. */
export function createLeases(
  kv: KvHandle,
  clock: Pick<Clock, "now">,
  commits: GroupCommit,
): Pick<Store, "acquireLease" | "releaseLease"> {
  /** Reads the stored lease, which may have expired. */
  async function read(key: Deno.KvKey) {
    const { value, versionstamp } = await call(kv, (kv) => kv.get(key));
    return {
      until: versionstamp === null ? -Infinity : LeaseRecord.parse(value).until,
      versionstamp,
    };
  }

  return {
    async acquireLease(reference, until) {
      const key = leaseKey(reference);
      const present = await read(key);
      const now = clock.now();
      if (present.until > now) return { outcome: "held", until: present.until };
      const lease: LeaseRecord = { until, holder: crypto.randomUUID() };
      const committed = await commits.commit({
        checks: [{ key, versionstamp: present.versionstamp }],
        sets: [{ key, value: lease, options: { expireIn: Math.max(1, until - now) } }],
      });
      if (committed.ok) {
        return { outcome: "acquired", lease: { reference, versionstamp: committed.versionstamp } };
      }
      // Somebody else has acquired it in the meantime, and may have released it already.
      return { outcome: "held", until: Math.max((await read(key)).until, now) };
    },

    async releaseLease({ reference, versionstamp }) {
      const key = leaseKey(reference);
      await call(kv, (kv) => kv.atomic().check({ key, versionstamp }).delete(key).commit());
    },
  };
}
