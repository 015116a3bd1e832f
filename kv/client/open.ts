import { kvErrorMessage } from "./error_message.ts";

/** Where the store is. */
export type KvLocation =
  /** A local file, which one process writes. */
  | { kind: "file"; path: string }
  /** The URL of a KV Connect server, which several processes share. */
  | { kind: "connect"; url: string }
  /** The database that Deno Deploy gives the app. */
  | { kind: "deploy" };

/** The store cannot be opened, and trying again would not help. */
export class OpenStoreError extends Error {
  override name = "OpenStoreError";
}

/** File modes: the owner reads and writes; anybody who is neither owner nor in the group. */
const OWNER_ONLY = 0o600;
const OTHERS = 0o007;

export interface OpenedStore {
  readonly kv: Deno.Kv;
  /** For what is only read. On a local file another handle, whose reads do not wait for commits. */
  reader: Deno.Kv;
  /** False once a local file was removed or replaced: what is stored then is gone at the end. */
  isFileIntact(): Promise<boolean>;
  /**
   * Replaces the handle of a KV Connect server and returns the new one, or returns null if the
   * server does not respond, or the store is none.
   */
  reopen(): Promise<Deno.Kv | null>;
  close(): void;
}

/** A server that can be reached responds within so many milliseconds. */
const CONNECT_TIMEOUT_MS = 2_000;
/** Openings that may be left unfinished by attempts to reopen. */
const MAX_OPEN_ATTEMPTS = 3;

/**
 * Opens the store. On a local file it takes the exclusive lock beside it first, because a second
 * process that commits with checks makes the first one's commits fail. A server may take
 * `deadlineMs`, because `Deno.openKv` has no deadline of its own.
 *
 * @throws {OpenStoreError} if it is a local file, whatever the cause.
 */
export async function openStore(location: KvLocation, deadlineMs = 10_000): Promise<OpenedStore> {
  if (location.kind === "file") return await openFile(location.path);
  const url = location.kind === "connect" ? location.url : undefined;
  // While the network drops packets, every opening hangs for longer than the one before.
  if (url !== undefined) await connect(url, Math.min(CONNECT_TIMEOUT_MS, deadlineMs));
  let kv = await withTimeout(deadlineMs, Deno.openKv(url));
  let openings = 0;
  /** An opening cannot be cancelled: it is only started when the server has just responded. */
  const reopen = async () => {
    if (url === undefined || openings >= MAX_OPEN_ATTEMPTS) return null;
    try {
      await connect(url, CONNECT_TIMEOUT_MS);
      const opening = Deno.openKv(url);
      openings++;
      const ended = () => void openings--;
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
 * Resolves if an HTTP server responds at all, over a connection of its own. Sends no credentials.
 *
 * @throws {Error} if it does not in time.
 */
async function connect(url: string, deadlineMs: number): Promise<void> {
  using client = Deno.createHttpClient({});
  const signal = AbortSignal.timeout(deadlineMs);
  try {
    const response = await fetch(url, { client, signal, redirect: "manual" });
    await response.body?.cancel();
  } catch (error) {
    throw signal.aborted ? noResponse(deadlineMs) : error;
  }
}

function noResponse(deadlineMs: number): Error {
  return new Error(`The KV server did not answer within ${deadlineMs} ms`);
}

async function openFile(path: string): Promise<OpenedStore> {
  let lock: Deno.FsFile | undefined;
  try {
    if (await isLink(path)) throw new SymbolicLinkError();
    // The lock ends with the process, however that ends; the file stays.
    lock = await Deno.open(`${path}.lock`, { create: true, write: true, mode: OWNER_ONLY });
    if (!await lock.tryLock(true)) throw new FileInUseError();
    await restrictToOwner(path);
    const kv = await Deno.openKv(path);
    const reader = await Deno.openKv(path);
    const opened = await identity(path);
    return {
      kv,
      reader,
      isFileIntact: async () => await identity(path).catch(() => opened) === opened,
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
 * Makes the file and its companions readable by their owner alone. SQLite gives the write-ahead log
 * and its index the permissions of the file. What version 1 made under the usual umask, 0644, is
 * tightened; a group that the operator lets in stays.
 */
async function restrictToOwner(path: string): Promise<void> {
  (await Deno.open(path, { create: true, write: true, mode: OWNER_ONLY })).close();
  for (const name of [path, `${path}.lock`, `${path}-wal`, `${path}-shm`]) {
    try {
      const { mode } = await Deno.stat(name);
      if (mode !== null && (mode & OTHERS) !== 0) await Deno.chmod(name, OWNER_ONLY);
    } catch {
      // There is no such companion, or the file is another user's or beyond our permissions: it can be
      // opened all the same, or the opening says what is wrong.
    }
  }
}

/** An opening cannot be called off: one that comes late is closed. */
async function withTimeout(deadlineMs: number, opening: Promise<Deno.Kv>): Promise<Deno.Kv> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(noResponse(deadlineMs)), deadlineMs);
  try {
    return await Promise.race([opening, late.promise]);
  } catch (error) {
    opening.then((kv) => kv.close(), () => {});
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Which file stands at a path, or null where none does. */
async function identity(path: string): Promise<string | null> {
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
/** The lock stands beside the name: by two names two processes could have the file. */
class SymbolicLinkError extends Error {}

function toOpenStoreError(path: string, error: unknown): OpenStoreError {
  if (error instanceof FileInUseError) {
    return new OpenStoreError(
      `Cannot open the KV file ${path}: another process has it open, and only one may write it. ` +
        "Stop the other one, or give this one a KV_PATH of its own",
    );
  }
  if (error instanceof SymbolicLinkError) {
    return new OpenStoreError(
      `Cannot open the KV file ${path}: it is a symbolic link. Set KV_PATH to the file itself, so ` +
        "that no other process writes it under another name",
    );
  }
  return new OpenStoreError(
    `Cannot open the KV file ${path}: ${
      kvErrorMessage(error)
    }. Check that KV_PATH names a file in a ` +
      "folder that exists and that this process may write",
  );
}
