import type { Log, LogEvent, LogFields } from "../../domain/ports/log.ts";

export interface LogLine extends LogFields {
  level: keyof Log;
  event: LogEvent;
  message: string;
}

/** A log that keeps its lines in memory. */
export function captureLog(): { log: Log; lines: LogLine[] } {
  const lines: LogLine[] = [];
  const write =
    (level: keyof Log) => (event: LogEvent, message: string, fields?: LogFields): void => {
      lines.push({ level, event, message, ...fields });
    };
  const log: Log = {
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
  };
  return { log, lines };
}
