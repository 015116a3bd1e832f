import type { Log } from "../../domain/ports/log.ts";
import type { OpenedStore } from "./opened_store.ts";

const CHECK_INTERVAL_MS = 1_000;

export interface FileWatchOptions {
  log: Pick<Log, "error">;
  /** Called once. Until it ends the process, responses acknowledge writes that are lost. */
  onRemoved(): void;
}

/** Checks every second that the KV file is still the one that was opened, until it is not. */
export function watchFile(
  store: Pick<OpenedStore, "isFileIntact">,
  { log, onRemoved }: FileWatchOptions,
): void {
  const timer = setInterval(async () => {
    if (await store.isFileIntact()) return;
    clearInterval(timer);
    log.error("store_removed", "The KV file was removed or replaced; writes since then are lost");
    onRemoved();
  }, CHECK_INTERVAL_MS);
}
