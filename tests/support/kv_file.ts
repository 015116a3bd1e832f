import { DatabaseSync } from "node:sqlite";

/** A path for a KV file, in a folder that is removed with it. */
export async function temporaryPath(): Promise<AsyncDisposable & { path: string }> {
  const folder = await Deno.makeTempDir({ prefix: "deskhand-" });
  return {
    path: `${folder}/deskhand.kv`,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/** Opens a KV file for a test that locks it: the first call makes what a lock would delay. */
export async function openKvFile(path: string): Promise<Deno.Kv> {
  const kv = await Deno.openKv(path);
  await kv.get(["first"]);
  return kv;
}

/** Locks the database against other writers until released. */
export function lockDatabase(path: string): Disposable & { release(): void } {
  const database = new DatabaseSync(path);
  database.exec("BEGIN IMMEDIATE");
  const release = () => {
    if (database.isOpen) database.close();
  };
  return { release, [Symbol.dispose]: release };
}

/** Everything that KV holds. */
export function dump(kv: Deno.Kv): Promise<Deno.KvEntry<unknown>[]> {
  return Array.fromAsync(kv.list({ prefix: [] }));
}

/** Everything that KV holds, as JSON by the JSON of its key. */
export async function contents(kv: Deno.Kv): Promise<Map<string, string>> {
  const entries = await dump(kv);
  return new Map(entries.map(({ key, value }) => [JSON.stringify(key), JSON.stringify(value)]));
}

/** The entries of `one` that `other` lacks or has with another value. */
export function difference(one: Map<string, string>, other: Map<string, string>) {
  return new Map([...one].filter(([key, value]) => other.get(key) !== value));
}

/** Whether an interrupted handoff is being resumed. */
export async function hasLease(kv: Deno.Kv): Promise<boolean> {
  return (await dump(kv)).some(({ key }) => key[0] === "lease");
}
