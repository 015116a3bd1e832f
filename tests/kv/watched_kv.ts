/** What one commit was asked to do. */
export interface WatchedCommit {
  checks: number;
  sets: string[];
}

/** A real KV that tells what was committed, and can hold commits back. */
export function watchedKv(kv: Deno.Kv) {
  const commits: WatchedCommit[] = [];
  let reads = 0;
  let gate = Promise.resolve();

  function atomic(): Deno.AtomicOperation {
    const operation = kv.atomic();
    const watched: WatchedCommit = { checks: 0, sets: [] };
    const { check, set, commit } = operation;
    return Object.assign(operation, {
      check(...checks: Deno.AtomicCheck[]) {
        watched.checks += checks.length;
        return check.apply(operation, checks);
      },
      set(...args: Parameters<typeof set>) {
        watched.sets.push(args[0].join("/"));
        return set.apply(operation, args);
      },
      async commit() {
        commits.push(watched);
        await gate;
        return await commit.call(operation);
      },
    });
  }

  function getMany(keys: Deno.KvKey[]) {
    reads++;
    return kv.getMany(keys);
  }

  return {
    /** As much of KV as commits need. */
    kv: { atomic, getMany } as unknown as Deno.Kv,
    commits,
    reads: () => reads,
    /** Holds every commit until what is returned is called. */
    hold(): () => void {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return resolve;
    },
  };
}
