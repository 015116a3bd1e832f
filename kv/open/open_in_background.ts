import type { Clock } from "../../domain/ports/clock.ts";
import type { Log } from "../../domain/ports/log.ts";
import type { Telemetry } from "../../domain/ports/telemetry.ts";
import { call, type KvHandle } from "../client/call.ts";
import { KvConnection } from "../client/connection.ts";
import { PROBE_KEY } from "../keys.ts";
import { watchFile } from "./file_watch.ts";
import type { KvLocation, OpenedStore } from "./opened_store.ts";
import { logSlowOpening } from "./log_slow_opening.ts";
import { openWithRetry } from "./open_with_retry.ts";
import { withTracing } from "../client/traced.ts";

const PING_TIMEOUT_MS = 1_000;

export interface BackgroundOptions {
  clock: Clock;
  log: Log;
  /** Records a span for each read and each commit. */
  telemetry?: Telemetry;
  /** Called if a local file is removed or replaced: what is written from then on is lost. */
  onFileRemoved(): void;
}

/** A store that may not be open yet. Until it is, calls through its handles time out. */
export interface BackgroundStore {
  kv: KvConnection;
  /** For reads only. On a local file a second handle, whose reads do not wait for commits. */
  reader: KvHandle;
  /** Rejects with `OpenStoreError` if a local file cannot be opened. */
  opened: Promise<OpenedStore>;
  /** Closes the handles, unless the store is not open or does not respond. Never rejects. */
  close(): Promise<void>;
}

/** Starts to open the store and returns its handles, so that the service can listen meanwhile. */
export function openInBackground(
  location: KvLocation,
  { clock, log, telemetry, onFileRemoved }: BackgroundOptions,
): BackgroundStore {
  const isFile = location.kind === "file";
  let store: OpenedStore | null = null;
  const opened = openWithRetry(location, { clock, log }).then((opened) => {
    if (isFile) watchFile(opened, { log, onRemoved: onFileRemoved });
    return store = opened;
  });
  if (isFile) logSlowOpening(opened, { clock, log });
  const traced = (kv: Deno.Kv) => telemetry ? withTracing(kv, telemetry) : kv;
  const reopen = async () => {
    const kv = await store?.reopen() ?? null;
    return kv && traced(kv);
  };
  const kv = new KvConnection(opened.then(({ kv }) => traced(kv)), {
    clock,
    log,
    ...!isFile && { reopen },
  });
  return {
    kv,
    reader: isFile ? opened.then(({ reader }) => traced(reader)) : kv,
    opened,
    async close() {
      // `Deno.Kv.close` blocks forever if the database does not respond. Nothing depends on it.
      if (store !== null && await isResponsive(kv)) store.close();
    },
  };
}

function isResponsive(kv: KvHandle): Promise<boolean> {
  return call(kv, (kv) => kv.get(PROBE_KEY), PING_TIMEOUT_MS).then(() => true, () => false);
}
