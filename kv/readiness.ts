import type { Clock } from "../domain/ports/clock.ts";
import type { Log } from "../domain/ports/log.ts";
import { call, commit } from "./client/call.ts";
import type { KvConnection } from "./client/connection.ts";
import { ABSENT_KEY, PROBE_KEY } from "./keys.ts";

const PROBE_TIMEOUT_MS = 1_000;
/** The endpoint is public, and writes have a quota, so frequent calls must not cause frequent writes. */
const PROBE_INTERVAL_MS = 30_000;

export interface ReadinessOptions {
  clock: Pick<Clock, "elapsed">;
  log: Pick<Log, "error">;
}

/**
 * Whether KV accepts writes. It does if a commit succeeded in the last 30 seconds and no call has
 * failed since. Otherwise a probe is committed, at most every 30 seconds and for up to one second. A
 * read would prove nothing: a locked or full database still serves reads.
 */
export class Readiness {
  #connection: KvConnection;
  #clock: Pick<Clock, "elapsed">;
  #log: Pick<Log, "error">;
  #probe: { startedAt: number; result: Promise<unknown> } | null = null;

  constructor(connection: KvConnection, { clock, log }: ReadinessOptions) {
    this.#connection = connection;
    this.#clock = clock;
    this.#log = log;
  }

  /** Never rejects. */
  async isReady(): Promise<boolean> {
    const { health, isOpen } = this.#connection;
    if (health.isProven) return true;
    // Without a probe: nothing has been written to a store that is still being opened.
    if (!isOpen && !await this.#isOpened()) return false;
    const now = this.#clock.elapsed();
    if (this.#probe === null || now - this.#probe.startedAt >= PROBE_INTERVAL_MS) {
      this.#probe = { startedAt: now, result: this.#writeProbe(now) };
    }
    await this.#probe.result;
    return !health.isFailing;
  }

  /** Has a check, because a write without one waits up to five seconds for a lock and blocks reads. */
  #writeProbe(value: number): Promise<unknown> {
    return commit(
      this.#connection,
      (kv) =>
        kv.atomic().check({ key: ABSENT_KEY, versionstamp: null }).set(PROBE_KEY, value).commit(),
      PROBE_TIMEOUT_MS,
    ).catch(({ message }) =>
      this.#log.error("store_unavailable", "The store is unavailable", { error: message })
    );
  }

  /**
   * Returns whether the handle opens within a second. Must not be called for an open one: the call
   * would count as a response of the store, so that a lost connection would not be replaced.
   */
  #isOpened(): Promise<boolean> {
    return call(this.#connection, () => Promise.resolve(true), PROBE_TIMEOUT_MS)
      .catch(() => false);
  }
}
