import type { Telemetry } from "../../domain/ports/telemetry.ts";

/** Wraps a KV handle so that every read and every commit has a span: Deno creates none for KV. */
export function withTracing(kv: Deno.Kv, telemetry: Telemetry): Deno.Kv {
  return withMethods(kv, {
    get: (key: Deno.KvKey) => telemetry.withSpan("kv.read", () => kv.get(key)),
    getMany: (keys: Deno.KvKey[]) => telemetry.withSpan("kv.read", () => kv.getMany(keys)),
    list: (selector: Deno.KvListSelector, options?: Deno.KvListOptions) => {
      const iterator = kv.list(selector, options);
      const next = () => telemetry.withSpan("kv.read", () => iterator.next());
      return withMethods(iterator, { next });
    },
    atomic: () => {
      const operation = kv.atomic();
      const outcomeOf = ({ ok }: { ok: boolean }) => ({ outcome: ok ? "ok" : "conflict" });
      const commit = () => telemetry.withSpan("kv.commit", () => operation.commit(), outcomeOf);
      return withMethods(operation, { commit });
    },
  });
}

/**
 * Returns a proxy for `target` with some methods replaced. A method that returns `target` for
 * chaining returns the proxy instead.
 */
function withMethods<T extends object>(target: T, methods: Record<string, unknown>): T {
  const proxy: T = new Proxy(target, {
    get(target, name) {
      if (typeof name === "string" && Object.hasOwn(methods, name)) return methods[name];
      const member = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => {
        const result = member.apply(target, args);
        return result === target ? proxy : result;
      };
    },
  });
  return proxy;
}
