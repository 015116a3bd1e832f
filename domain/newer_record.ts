import type { Log, LogFields } from "./ports/log.ts";

/** Warns that a record is served only in part and never written, because this version is older. */
export function warnOfNewerRecord(log: Log, fields: LogFields): void {
  log.warn(
    "newer_record",
    "A newer version wrote this record. This version serves the part that it understands, and does " +
      "not write the record. Upgrade this process",
    fields,
  );
}
