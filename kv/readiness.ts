import type { Clock } from "../domain/ports/clock.ts";
import type { Log } from "../domain/ports/log.ts";
import { call, commit } from "./client/call.ts";
import type { KvConnection } from "./client/connection.ts";

const PROBE_TIMEOUT_MS = 1_000;
/** The endpoint is public, and writes have a quota, so frequent calls must not cause frequent writes. */
const PROBE_INTERVAL_MS = 30_000;
/** Never written, so the check always holds. */
const ABSENT_KEY = { key: ["ready", "never"], versionstamp: null };

/**
 * Creates a function that returns whether KV accepts writes. It does if a commit succeeded in the last
 * 30 seconds and no call has failed since. Otherwise the function commits a probe, at most every 30
 * seconds and for up to one second. A read would prove nothing: a locked or full database still
 * serves reads.
 */
export function createReadiness(
  connection: KvConnection,
  { clock, log }: { clock: Pick<Clock, "elapsed">; log: Pick<Log, "error"> },
): () => Promise<boolean> {
  const { health } = connection;
  let probe: { startedAt: number; result: Promise<unknown> } | null = null;

  /** Has a check, because a write without one waits up to five seconds for a lock and blocks reads. */
  const writeProbe = () =>
    commit(
      connection,
      (kv) => kv.atomic().check(ABSENT_KEY).set(["ready"], clock.elapsed()).commit(),
      PROBE_TIMEOUT_MS,
    ).catch((error) =>
      log.error("store_unavailable", "The store is unavailable", { error: error.message })
    );

  return async () => {
    if (health.isProven) return true;
    // Without a probe: nothing has been written to a store that is still being opened.
    if (!connection.isOpen && !await isOpened(connection)) return false;
    const now = clock.elapsed();
    if (probe === null || now - probe.startedAt >= PROBE_INTERVAL_MS) {
      probe = { startedAt: now, result: writeProbe() };
    }
    await probe.result;
    return !health.isFailing;
  };
}

/**
 * Returns whether the handle opens within a second. Must not be called for an open one: the call would
 * count as a response of the store, so that a lost connection would not be replaced.
 */
function isOpened(connection: KvConnection): Promise<boolean> {
  return call(connection, () => Promise.resolve(true), PROBE_TIMEOUT_MS).catch(() => false);
}
