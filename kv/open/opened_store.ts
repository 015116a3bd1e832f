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

/** An open store. `close` also releases the lock of a local file. */
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
