import type { Result, Router } from "hono/router";
import { RegExpRouter } from "hono/router/reg-exp-router";
import { TrieRouter } from "hono/router/trie-router";

/**
 * Matches paths below `prefix` with Hono's `TrieRouter` and all others with its `RegExpRouter`. With that
 * one, a submission takes 5 % less CPU time (206 instead of 218 µs at 64 connections), but it does not
 * support a parameter beside a literal, as in `/panel/:script` and `/panel/integrity.json`. Because of
 * one such route, Hono would choose the `TrieRouter` for all paths. Here, it throws when it is registered.
 */
export class SplitRouter<T> implements Router<T> {
  name = "SplitRouter";
  #below = new TrieRouter<T>();
  #others = new RegExpRouter<T>();
  #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  add(method: string, path: string, handler: T): void {
    const isBelow = path.startsWith(this.#prefix);
    // Middleware of all paths is in both.
    if (isBelow || path === "/*") this.#below.add(method, path, handler);
    if (!isBelow) this.#others.add(method, path, handler);
  }

  match(method: string, path: string): Result<T> {
    return (path.startsWith(this.#prefix) ? this.#below : this.#others).match(method, path);
  }
}
