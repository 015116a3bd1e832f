import { DatabaseSync } from "node:sqlite";

/** For a handle of KV that is sweeping expired records at this moment. */
const BUSY_MS = 10_000;

/**
 * Rewrites a KV file without what was deleted, which SQLite otherwise leaves in unused pages and in
 * the write-ahead log. Needs as much free space as the file has, and no other process that uses it.
 *
 * @throws {Error} of SQLite. The file is as valid as before.
 */
export function vacuum(path: string): void {
  const database = new DatabaseSync(path);
  try {
    database.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
    database.exec("VACUUM");
    const row = database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get();
    if (row?.busy !== 0) throw new Error("the write-ahead log is in use");
  } finally {
    database.close();
  }
}
