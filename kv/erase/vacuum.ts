import { DatabaseSync } from "node:sqlite";

/** How long to wait for a KV handle that is removing expired records. */
const BUSY_TIMEOUT_MS = 10_000;

/**
 * Rewrites a KV file without deleted data, which SQLite otherwise leaves in unused pages and in the
 * write-ahead log. Needs as much free disk space as the size of the file, and no other process may
 * use the file.
 *
 * @throws {Error} of SQLite; the file remains valid
 */
export function vacuum(path: string): void {
  const database = new DatabaseSync(path);
  try {
    database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    database.exec("VACUUM");
    const row = database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get();
    if (row?.busy !== 0) throw new Error("the write-ahead log is in use");
  } finally {
    database.close();
  }
}
