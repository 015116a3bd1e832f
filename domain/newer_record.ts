import type { Log, LogFields } from "./ports/log.ts";

/** Warns that a record is served only in part and never written, because this version is older. */
export function warnOfNewerRecord(log: Log, fields: LogFields): void {
  log.warn(
    "newer_record",
    "A newer version wrote this record. It is served as far as this version understands it, and " +
      "never written. Upgrade this process",
    fields,
  );
}
