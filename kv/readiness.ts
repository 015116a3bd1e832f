import type { Clock } from "../domain/ports/clock.ts";
import type { Log } from "../domain/ports/log.ts";
import { call, commit } from "./client/call.ts";
import type { KvConnection } from "./client/connection.ts";

const PROBE_TIMEOUT_MS = 1_000;
/** Anybody may call, so calling often must not mean writing often: writes have a quota. */
const PROBE_INTERVAL_MS = 30_000;
/** Nobody ever writes it. */
const ABSENT_KEY = { key: ["ready", "never"], versionstamp: null };

/**
 * Returns whether KV takes writes, as far as calls show. It does while one commit of the last 30
 * seconds has succeeded and nothing has failed since. Otherwise a commit is tried, at most every 30
 * seconds, for up to one second. A read would not do: a locked or full database still responds to
 * reads.
 */
export function createReadiness(
  connection: KvConnection,
  { clock, log }: { clock: Pick<Clock, "elapsed">; log: Pick<Log, "error"> },
): () => Promise<boolean> {
  const { health } = connection;
  let probe: { at: number; end: Promise<unknown> } | null = null;

  /** Has a check because a write without one waits up to five seconds for a lock, and reads with it. */
  const write = () =>
    commit(
      connection,
      (kv) => kv.atomic().check(ABSENT_KEY).set(["ready"], clock.elapsed()).commit(),
      PROBE_TIMEOUT_MS,
    ).catch((error) =>
      log.error("store_unavailable", "The store is unavailable", { error: error.message })
    );

  return async () => {
    if (health.isProven) return true;
    // Not a probe: nothing has been written to a store that is still being opened.
    if (!connection.isOpen && !await isOpened(connection)) return false;
    const at = clock.elapsed();
    if (probe === null || at - probe.at >= PROBE_INTERVAL_MS) probe = { at, end: write() };
    await probe.end;
    return !health.isFailing;
  };
}

/**
 * Whether the handle is opened within a second. Not for an opened one: it would count as a response
 * of the store, and a lost connection would not be replaced while readiness is checked.
 */
function isOpened(connection: KvConnection): Promise<boolean> {
  return call(connection, () => Promise.resolve(true), PROBE_TIMEOUT_MS).catch(() => false);
}
