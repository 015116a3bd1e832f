import { type AtomicContent, wrapKv } from "../support/wrap_kv.ts";

/** A real KV that records its commits and counts its `getMany` calls, and can hold commits back. */
export function watchedKv(kv: Deno.Kv) {
  const commits: { checks: number; sets: string[] }[] = [];
  let reads = 0;
  let gate = Promise.resolve();
  return {
    kv: wrapKv(kv, {
      async onCommit(commit, { checks, sets }: AtomicContent) {
        commits.push({ checks: checks.length, sets: sets.map(({ key }) => key.join("/")) });
        await gate;
        return await commit();
      },
      onRead(read, { method }) {
        if (method === "getMany") reads++;
        return read();
      },
    }),
    commits,
    reads: () => reads,
    /** Holds every commit until the returned function is called. */
    hold(): () => void {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return resolve;
    },
  };
}
