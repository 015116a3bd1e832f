import type { Log, LogFields } from "./ports.ts";

/** Logs that a record is served only in part and is not written, because this version is older. */
export function warnOfNewerRecord(log: Log, fields: LogFields): void {
  log.warn(
    "A newer version wrote this record: it is served as far as this version understands it, " +
      "and not written. Upgrade this process",
    { ...fields, event: "newer_record" },
  );
}
