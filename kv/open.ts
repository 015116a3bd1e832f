/** Where the store is. */
export type KvLocation =
  /** A local file, which one process writes. */
  | { kind: "file"; path: string }
  /** The URL of a KV Connect server, which several processes share. */
  | { kind: "connect"; url: string }
  /** The database that Deno Deploy gives the app. */
  | { kind: "deploy" };

/** The store cannot be opened, and trying again would not help. */
export class CannotOpenStore extends Error {
  override name = "CannotOpenStore";
}

export interface OpenStore {
  kv: Deno.Kv;
  close(): void;
}

/**
 * Opens the store. On a local file it takes the exclusive lock beside it first, because a second
 * process that commits with checks makes the first one's commits fail.
 *
 * @throws {CannotOpenStore}
 */
export async function openStore(location: KvLocation): Promise<OpenStore> {
  if (location.kind !== "file") {
    const kv = await Deno.openKv(location.kind === "connect" ? location.url : undefined);
    return { kv, close: () => kv.close() };
  }
  const lock = await lockBeside(location.path);
  try {
    const kv = await Deno.openKv(location.path);
    const close = () => {
      kv.close();
      lock.close();
    };
    return { kv, close };
  } catch (error) {
    lock.close();
    throw cannotOpen(location.path, error);
  }
}

/** The lock ends with the process, however that ends; the file stays. */
async function lockBeside(path: string): Promise<Deno.FsFile> {
  let lock: Deno.FsFile;
  try {
    lock = await Deno.open(`${path}.lock`, { create: true, write: true });
  } catch (error) {
    throw cannotOpen(path, error);
  }
  if (await lock.tryLock(true)) return lock;
  lock.close();
  throw new CannotOpenStore(
    `Cannot open the KV file ${path}: another process has it open, and only one may write it. ` +
      "Stop the other one, or give this one a KV_PATH of its own",
  );
}

function cannotOpen(path: string, error: unknown): CannotOpenStore {
  const why = error instanceof Error ? error.message : String(error);
  return new CannotOpenStore(
    `Cannot open the KV file ${path}: ${why}. Check that KV_PATH names a file in a folder that ` +
      "exists and that this process may write",
  );
}
