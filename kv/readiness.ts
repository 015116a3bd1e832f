import type { Clock, Log } from "../domain/ports.ts";
import { call, type KvHandle } from "./call.ts";

const DEADLINE_MS = 1_000;
/** Anybody may ask, so asking often must not mean writing often. */
const FRESH_MS = 1_000;
/** Nobody ever writes it. */
const ABSENT = { key: ["ready", "never"], versionstamp: null };

/**
 * Whether KV takes a write within a second. A read would not tell: a locked or full database still
 * answers reads. The write has a check because one without waits up to five seconds for a lock, and
 * nobody can read through the handle meanwhile; one with a check fails at once.
 */
export function createReadiness(
  kv: KvHandle,
  { clock, log }: { clock: Pick<Clock, "elapsed">; log: Pick<Log, "error"> },
) {
  let probe: { at: number; isReady: Promise<boolean> } | null = null;
  return (): Promise<boolean> => {
    const at = clock.elapsed();
    if (probe === null || at - probe.at >= FRESH_MS) {
      const isReady = call(
        kv,
        (kv) => kv.atomic().check(ABSENT).set(["ready"], at).commit(),
        DEADLINE_MS,
      )
        .then(({ ok }) => ok, (error) => {
          log.error("The store is unavailable", { error: error.message });
          return false;
        });
      probe = { at, isReady };
    }
    return probe.isReady;
  };
}
