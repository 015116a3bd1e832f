import type { KeyClaim, KeyScope } from "../domain/ports/store.ts";
import { hashKey } from "./client/key_hash.ts";
import { idempotencyKey } from "./keys.ts";

/** Number of hashes in memory, a power of two: 256 KiB. */
const SLOTS = 1 << 16;

/**
 * Remembers the idempotency keys that this process has stored most recently, so that a retry looks its
 * key up first. Claiming it would make the commit of up to 50 other submissions fail, and all of their
 * keys would be read to find the one that is taken. A remembered key is only a hint: its record may have
 * been erased. Keys that other processes stored are not remembered.
 *
 * Holds one hash per slot, and a key replaces the one in its slot: of the last 10,000 keys, 93 % are
 * found. A set of 10,000 strings took 15 µs per submission, most of it to collect garbage.
 *
 * The gain, measured at 64 connections with one retry in a hundred submissions: a fifth fewer commits, a
 * quarter of the reads, and 8 % less CPU time per submission (median of 16 half seconds, three pairs).
 */
export class RecentKeys {
  #hashes = new Int32Array(SLOTS);
  /** Claims that have been looked up. If the key was free after all, they are committed next time. */
  #lookedUp = new WeakSet<KeyClaim>();

  /** Remembers a key that has been stored. */
  add(scope: KeyScope): void {
    const hash = hashOf(scope);
    this.#hashes[slotOf(hash)] = hash;
  }

  /** Returns whether to look the key up instead of claiming it: at most once per claim. */
  shouldLookUp(claim: KeyClaim): boolean {
    if (claim.replaces !== null || this.#lookedUp.has(claim)) return false;
    const hash = hashOf(claim);
    if (this.#hashes[slotOf(hash)] !== hash) return false;
    this.#lookedUp.add(claim);
    return true;
  }
}

function hashOf(scope: KeyScope): number {
  return hashKey(idempotencyKey(scope));
}

/** Folds the hash, because the low bits of FNV-1a depend on the low bits of the key alone. */
function slotOf(hash: number): number {
  return (hash ^ hash >>> 16) & (SLOTS - 1);
}
