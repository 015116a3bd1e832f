import { kvErrorMessage } from "./error_message.ts";

/** The location of the store. */
export type KvLocation =
  /** A local file, which only one process may open. */
  | { kind: "file"; path: string }
  /** The URL of a KV Connect server, which several processes can share. */
  | { kind: "connect"; url: string }
  /** The database attached to the app on Deno Deploy. */
  | { kind: "deploy" };

/** The store cannot be opened, and retrying would not help. The message says what to do. */
export class OpenStoreError extends Error {
  override name = "OpenStoreError";
}

/** File mode: only the owner can read and write. */
const OWNER_ONLY = 0o600;
/** The permissions of users who are neither the owner nor in the group. */
const OTHERS = 0o007;

export interface OpenedStore {
  readonly kv: Deno.Kv;
  /** The handle for reads. For a local file a second one, so that reads do not wait for commits. */
  reader: Deno.Kv;
  /** Resolves with false once a local file has been removed or replaced: new writes would be lost. */
  isFileIntact(): Promise<boolean>;
  /**
   * Opens a new handle to a KV Connect server, closes the old one and resolves with the new one.
   * Resolves with null if the server does not respond, and for any other kind of store.
   */
  reopen(): Promise<Deno.Kv | null>;
  close(): void;
}

/** Timeout for the first response of a KV Connect server. */
const CONNECT_TIMEOUT_MS = 2_000;
/** Maximum number of pending `Deno.openKv` calls by `reopen`: they cannot be cancelled. */
const MAX_OPEN_ATTEMPTS = 3;

/**
 * Opens the store. For a local file it first takes an exclusive lock on `<path>.lock`, because a
 * second process that commits with checks would make the first one's commits fail. Any other store
 * must open within `timeoutMs`, because `Deno.openKv` has no timeout.
 *
 * @throws {OpenStoreError} for a local file, on any error
 * @throws {Error} for any other store, which the caller may try to open again
 */
export async function openStore(location: KvLocation, timeoutMs = 10_000): Promise<OpenedStore> {
  if (location.kind === "file") return await openFile(location.path);
  const url = location.kind === "connect" ? location.url : undefined;
  // While the network drops packets, each `Deno.openKv` hangs for longer than the one before.
  if (url !== undefined) await connect(url, Math.min(CONNECT_TIMEOUT_MS, timeoutMs));
  let kv = await withTimeout(timeoutMs, Deno.openKv(url));
  let pendingAttempts = 0;
  const reopen = async () => {
    if (url === undefined || pendingAttempts >= MAX_OPEN_ATTEMPTS) return null;
    try {
      // `Deno.openKv` cannot be cancelled, so it is called only when the server has just responded.
      await connect(url, CONNECT_TIMEOUT_MS);
      const opening = Deno.openKv(url);
      pendingAttempts++;
      const ended = () => void pendingAttempts--;
      opening.then(ended, ended);
      const opened = await withTimeout(CONNECT_TIMEOUT_MS, opening);
      kv.close();
      return kv = opened;
    } catch {
      return null;
    }
  };
  return {
    get kv() {
      return kv;
    },
    get reader() {
      return kv;
    },
    isFileIntact: () => Promise.resolve(true),
    reopen,
    close: () => kv.close(),
  };
}

/**
 * Resolves if an HTTP server responds over a new connection, whatever the status. Sends no
 * credentials.
 *
 * @throws {Error} if it does not respond in time
 */
async function connect(url: string, timeoutMs: number): Promise<void> {
  using client = Deno.createHttpClient({});
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, { client, signal, redirect: "manual" });
    await response.body?.cancel();
  } catch (error) {
    throw signal.aborted ? noResponseError(timeoutMs) : error;
  }
}

function noResponseError(timeoutMs: number): Error {
  return new Error(`The KV server did not respond within ${timeoutMs} ms`);
}

async function openFile(path: string): Promise<OpenedStore> {
  let lock: Deno.FsFile | undefined;
  try {
    if (await isLink(path)) throw new SymbolicLinkError();
    // The lock is released when the process exits, even if it crashes; the lock file remains.
    lock = await Deno.open(`${path}.lock`, { create: true, write: true, mode: OWNER_ONLY });
    if (!await lock.tryLock(true)) throw new FileInUseError();
    await restrictToOwner(path);
    const kv = await Deno.openKv(path);
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
 * are restricted, too. What the operator has granted to the group alone remains.
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

/** Rejects after `timeoutMs`. Opening cannot be cancelled; a handle that arrives later is closed. */
async function withTimeout(timeoutMs: number, opening: Promise<Deno.Kv>): Promise<Deno.Kv> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(noResponseError(timeoutMs)), timeoutMs);
  try {
    return await Promise.race([opening, late.promise]);
  } catch (error) {
    opening.then((kv) => kv.close(), () => {});
    throw error;
  } finally {
    clearTimeout(timer);
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
