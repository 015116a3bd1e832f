import type { KeyClaim, KeyScope } from "../domain/ports/store.ts";
import { keyId } from "./client/change.ts";
import { idempotencyKey } from "./keys.ts";

/** Maximum number of keys in memory: about 2 MB. */
const MAX_KEYS = 10_000;

/**
 * Remembers the idempotency keys that this process has stored most recently, so that a retry looks its
 * key up first. Claiming it would make the commit of up to 50 other submissions fail, and all of their
 * keys would be read to find the one that is taken. A remembered key is only a hint: its record may have
 * been erased. Keys that other processes stored are not remembered.
 *
 * The gain, measured at 64 connections with one retry in a hundred submissions: a fifth fewer commits, a
 * quarter of the reads, and 8 % less CPU time per submission (median of 16 half seconds, three pairs).
 */
export class RecentKeys {
  #ids = new Set<string>();
  /** Claims that have been looked up. If the key was free after all, they are committed next time. */
  #lookedUp = new WeakSet<KeyClaim>();

  /** Remembers a key that has been stored. */
  add(scope: KeyScope): void {
    this.#ids.add(idOf(scope));
    if (this.#ids.size > MAX_KEYS) this.#ids.delete(this.#ids.values().next().value!);
  }

  /** Returns whether to look the key up instead of claiming it: at most once per claim. */
  shouldLookUp(claim: KeyClaim): boolean {
    if (claim.replaces !== null || this.#lookedUp.has(claim)) return false;
    if (!this.#ids.has(idOf(claim))) return false;
    this.#lookedUp.add(claim);
    return true;
  }
}

function idOf(scope: KeyScope): string {
  return keyId(idempotencyKey(scope));
}
