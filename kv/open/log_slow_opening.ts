import type { Clock } from "../../domain/ports/clock.ts";
import type { Log } from "../../domain/ports/log.ts";

const SLOW_MS = 2_000;

export interface SlowOpeningOptions {
  clock: Pick<Clock, "elapsed">;
  log: Pick<Log, "info" | "warn">;
}

/**
 * Logs if a file is not open after two seconds, and when it is. KV removes what has expired in one
 * transaction before it responds, which took a minute for two million records.
 */
export function logSlowOpening(opened: Promise<unknown>, { clock, log }: SlowOpeningOptions): void {
  const started = clock.elapsed();
  let isSlow = false;
  const timer = setTimeout(() => {
    isSlow = true;
    log.warn(
      "store_opening",
      "The KV file is not open yet. Another program may have locked it, or KV removes what expired " +
        "while the service was stopped: a minute for two million records. A restart begins again",
    );
  }, SLOW_MS);
  const stop = () => clearTimeout(timer);
  opened.then(() => {
    stop();
    const ms = Math.round(clock.elapsed() - started);
    if (isSlow) log.info("store_opened", "The KV file is open", { ms });
  }, stop);
}
