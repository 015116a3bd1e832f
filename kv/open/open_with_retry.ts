import type { Clock } from "../../domain/ports/clock.ts";
import type { Log } from "../../domain/ports/log.ts";
import { kvErrorMessage } from "../client/error_message.ts";
import { openStore } from "./open_store.ts";
import { type KvLocation, type OpenedStore, OpenStoreError } from "./opened_store.ts";

const RETRY_DELAY_MS = 1_000;
/**
 * An attempt that hangs cannot be cancelled. Each gets twice the time of the one before, so that
 * few accumulate during a long outage.
 */
const FIRST_TIMEOUT_MS = 10_000;
const MAX_TIMEOUT_MS = 300_000;

export interface OpenWithRetryOptions {
  clock: Pick<Clock, "wait">;
  log: Pick<Log, "error">;
}

/**
 * Opens the store, and retries until a server responds. A file is opened once, because only the
 * operator can change what is wrong with it.
 *
 * @throws {OpenStoreError} The file cannot be opened. The message says what to do.
 */
export async function openWithRetry(
  location: KvLocation,
  { clock, log }: OpenWithRetryOptions,
): Promise<OpenedStore> {
  for (let timeoutMs = FIRST_TIMEOUT_MS;; timeoutMs = Math.min(2 * timeoutMs, MAX_TIMEOUT_MS)) {
    try {
      return await openStore(location, timeoutMs);
    } catch (error) {
      if (error instanceof OpenStoreError) throw error;
      log.error("store_open_failed", "Cannot open KV; retrying", { error: kvErrorMessage(error) });
      await clock.wait(RETRY_DELAY_MS);
    }
  }
}
