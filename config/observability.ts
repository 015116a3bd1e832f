import type { Config } from "./config.ts";
import { type ConsoleLog, openLog } from "./log.ts";
import { summarizeConfig } from "./summary.ts";
import type { OpenTelemetry } from "./telemetry.ts";

export interface Observability {
  log: ConsoleLog;
  /** Absent if telemetry is not exported. */
  telemetry?: OpenTelemetry;
}

/**
 * Opens the log and, if it is exported, telemetry; then logs the configuration. Telemetry is
 * imported only if it is used, because a start without it is faster.
 */
export async function openObservability(
  config: Config,
  clock: { now(): number; elapsed(): number },
): Promise<Observability> {
  const consoleLog = openLog(config.log, clock.now);
  const telemetry = config.isTraced
    ? (await import("./telemetry.ts")).openTelemetry(clock.elapsed)
    : undefined;
  const log = telemetry?.counted(consoleLog) ?? consoleLog;
  log.info("configured", "Configuration", { ...summarizeConfig(config) });
  return { log, telemetry };
}
