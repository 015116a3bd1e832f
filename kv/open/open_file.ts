import { kvErrorMessage } from "../client/error_message.ts";
import { type OpenedStore, OpenStoreError } from "./opened_store.ts";

/** File mode: only the owner can read and write. */
const OWNER_ONLY = 0o600;
/** The permissions of users who are neither the owner nor in the group. */
const OTHERS = 0o007;

/**
 * Opens a local file; resolves once KV responds. It first takes an exclusive lock on `<path>.lock`,
 * because a second process that commits with checks would make the first one's commits fail.
 *
 * @throws {OpenStoreError} on any error
 */
export async function openFile(path: string): Promise<OpenedStore> {
  let lock: Deno.FsFile | undefined;
  try {
    if (await isLink(path)) throw new SymbolicLinkError();
    // The lock is released when the process exits, even if it crashes; the lock file remains.
    lock = await Deno.open(`${path}.lock`, { create: true, write: true, mode: OWNER_ONLY });
    if (!await lock.tryLock(true)) throw new FileInUseError();
    await restrictToOwner(path);
    const kv = await Deno.openKv(path);
    // `openKv` resolves before KV can respond. An error is left to the calls of the service.
    await kv.get(["any"]).catch(() => {});
    const reader = await Deno.openKv(path);
    const opened = await identify(path);
    return {
      kv,
      reader,
      isFileIntact: async () => await identify(path).catch(() => opened) === opened,
      reopen: () => Promise.resolve(null),
      close() {
        kv.close();
        reader.close();
        lock?.close();
      },
    };
  } catch (error) {
    lock?.close();
    throw toOpenStoreError(path, error);
  }
}

/**
 * Restricts the file and its companions to their owner. SQLite creates the write-ahead log and its
 * index with the permissions of the file. Files that version 1 created with the usual umask, 0644,
 * are restricted, too. A file that only its group can access besides the owner is left unchanged.
 */
async function restrictToOwner(path: string): Promise<void> {
  (await Deno.open(path, { create: true, write: true, mode: OWNER_ONLY })).close();
  for (const name of [path, `${path}.lock`, `${path}-wal`, `${path}-shm`]) {
    try {
      const { mode } = await Deno.stat(name);
      if (mode !== null && (mode & OTHERS) !== 0) await Deno.chmod(name, OWNER_ONLY);
    } catch {
      // The companion does not exist, or this process may not change its mode. Either the store can
      // be opened anyway, or the error of `Deno.openKv` says why not.
    }
  }
}

/** Returns what identifies the file at a path (device and inode), or null if there is none. */
async function identify(path: string): Promise<string | null> {
  const info = await nullIfMissing(Deno.stat(path));
  return info && `${info.dev}:${info.ino}`;
}

async function isLink(path: string): Promise<boolean> {
  return (await nullIfMissing(Deno.lstat(path)))?.isSymlink ?? false;
}

async function nullIfMissing(info: Promise<Deno.FileInfo>): Promise<Deno.FileInfo | null> {
  try {
    return await info;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

class FileInUseError extends Error {}
/** The lock belongs to the path, so two processes could open one file by two paths. */
class SymbolicLinkError extends Error {}

function toOpenStoreError(path: string, error: unknown): OpenStoreError {
  return new OpenStoreError(`Cannot open the KV file ${path}: ${adviceFor(error)}`);
}

function adviceFor(error: unknown): string {
  if (error instanceof FileInUseError) {
    return "another process has it open, and only one may write it. Stop that process, or set " +
      "another KV_PATH";
  }
  if (error instanceof SymbolicLinkError) {
    return "it is a symbolic link. Set KV_PATH to the file itself, so that no other process can " +
      "open it by another path";
  }
  return `${kvErrorMessage(error)}. Check that KV_PATH names a file in a folder that exists and ` +
    "that this process may write";
}
