/** A real KV whose calls a test watches, delays or fails. */

/** What one atomic operation contains. */
export interface AtomicContent {
  checks: Deno.AtomicCheck[];
  /** `expireIn` in milliseconds, if the value expires. */
  sets: { key: Deno.KvKey; value: unknown; expireIn?: number }[];
  deletes: Deno.KvKey[];
}

export type CommitResult = Deno.KvCommitResult | Deno.KvCommitError;

export interface KvRead {
  method: "get" | "getMany" | "list";
  /** The keys, or the prefix of a list. */
  keys: Deno.KvKey[];
}

export interface KvHooks {
  /** Stands in for a commit, which `commit` makes. */
  onCommit?(commit: () => Promise<CommitResult>, content: AtomicContent): Promise<CommitResult>;
  /** Stands in for a read, which `read` makes. */
  onRead?<T>(read: () => Promise<T>, what: KvRead): Promise<T>;
}

/** `kv` with hooks around its commits and reads. Everything else is the KV's own. */
export function wrapKv(kv: Deno.Kv, { onCommit, onRead }: KvHooks): Deno.Kv {
  return override(kv, {
    ...onCommit && { atomic: () => wrapAtomic(kv.atomic(), onCommit) },
    ...onRead && {
      get: (key: Deno.KvKey, options?: { consistency?: Deno.KvConsistencyLevel }) =>
        onRead(() => kv.get(key, options), { method: "get", keys: [key] }),
      getMany: (keys: Deno.KvKey[], options?: { consistency?: Deno.KvConsistencyLevel }) =>
        onRead(() => kv.getMany(keys, options), { method: "getMany", keys }),
      list: (selector: Deno.KvListSelector, options?: Deno.KvListOptions) => {
        const iterator = kv.list(selector, options);
        const keys = "prefix" in selector ? [selector.prefix] : [];
        async function* entries() {
          yield* await onRead!(() => Array.fromAsync(iterator), { method: "list", keys });
        }
        return override(entries(), {
          get cursor() {
            return iterator.cursor;
          },
        });
      },
    },
  });
}

function wrapAtomic(
  operation: Deno.AtomicOperation,
  onCommit: NonNullable<KvHooks["onCommit"]>,
): Deno.AtomicOperation {
  const content: AtomicContent = { checks: [], sets: [], deletes: [] };
  const wrapped: Deno.AtomicOperation = override(operation, {
    check(...checks: Deno.AtomicCheck[]) {
      content.checks.push(...checks);
      operation.check(...checks);
      return wrapped;
    },
    set(key: Deno.KvKey, value: unknown, options?: { expireIn?: number }) {
      content.sets.push({ key, value, ...options });
      operation.set(key, value, options);
      return wrapped;
    },
    delete(key: Deno.KvKey) {
      content.deletes.push(key);
      operation.delete(key);
      return wrapped;
    },
    commit: () => onCommit(() => operation.commit(), content),
  });
  return wrapped;
}

/** `target` with some other members; what returns the target returns the substitute. */
// deno-lint-ignore no-explicit-any -- a generator stands in for Deno's iterator of entries
function override(target: object, members: object): any {
  const substitute = new Proxy(target, {
    get(target, name) {
      if (Object.hasOwn(members, name)) return Reflect.get(members, name);
      const member = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => {
        const result = member.apply(target, args);
        return result === target ? substitute : result;
      };
    },
  });
  return substitute;
}
