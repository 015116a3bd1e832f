import { createStore, type StoreOptions } from "../../kv/store.ts";
import { FakeClock } from "../support/clock.ts";
import { wrapKv } from "../support/wrap_kv.ts";

/** Opens a store on a new KV in memory, or on `kv`, which is then not closed. */
export async function openTestStore(
  { kv, ...options }: Partial<StoreOptions> & { kv?: Deno.Kv } = {},
) {
  const handle = kv ?? await Deno.openKv(":memory:");
  const clock = new FakeClock();
  const store = createStore(handle, { clock, retentionDays: null, isExclusive: true, ...options });
  const close = () => {
    if (kv === undefined) handle.close();
  };
  return { store, kv: handle, clock, [Symbol.dispose]: close };
}

/** The first part of a key, and the lifetime of its value in milliseconds, if it has one. */
export type Expiry = [unknown, number | undefined];

/** Records the lifetime of each value that is set. */
export function withExpiries(kv: Deno.Kv, expiries: Expiry[]): Deno.Kv {
  return wrapKv(kv, {
    onCommit(commit, { sets }) {
      for (const { key, expireIn } of sets) expiries.push([key[0], expireIn]);
      return commit();
    },
  });
}
