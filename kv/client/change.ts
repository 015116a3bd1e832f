/**
 * Checks and writes that are applied atomically. The values written to the checked keys must be
 * unique to this change, so that {@linkcode findOwnVersionstamp} can recognize a change that has
 * already been applied.
 */
export interface Change {
  checks: Deno.AtomicCheck[];
  sets: Write[];
}

export interface Write {
  key: Deno.KvKey;
  value: unknown;
  options?: { expireIn?: number };
}

/** The size of a change, or the maximum size of a commit. */
export interface CommitSize {
  checks: number;
  mutations: number;
  /** Of keys and values. */
  bytes: number;
  keyBytes: number;
}

/** Deno KV's limits for one commit. A KV Connect server may allow fewer checks. */
export const KV_LIMITS: CommitSize = {
  checks: 100,
  mutations: 1_000,
  bytes: 819_200,
  keyBytes: 81_920,
};

const MAX_KEY_BYTES = 2_048;
const MAX_VALUE_BYTES = 65_536;

/**
 * Returns an upper bound for the size of a change, and whether each key and value certainly respects
 * KV's limit for one entry.
 */
export function estimateSize({ checks, sets }: Change): CommitSize & { isWithinLimits: boolean } {
  let keyBytes = 0;
  let valueBytes = 0;
  let isWithinLimits = true;
  for (const { key, value } of sets) {
    const keyBytesOfOne = keySize(key);
    const valueBytesOfOne = valueSize(value);
    keyBytes += keyBytesOfOne;
    valueBytes += valueBytesOfOne;
    isWithinLimits &&= keyBytesOfOne <= MAX_KEY_BYTES && valueBytesOfOne <= MAX_VALUE_BYTES;
  }
  const bytes = checks.reduce((sum, { key }) => sum + keySize(key), keyBytes + valueBytes);
  return { checks: checks.length, mutations: sets.length, bytes, keyBytes, isWithinLimits };
}

/**
 * Returns an upper bound for the V8-serialized size of a value: two bytes per UTF-16 unit, and at
 * most 16 bytes of overhead per value. It takes half as long as measuring its JSON. Arrays are
 * handled separately because `for…in` is slow on them.
 */
function valueSize(value: unknown): number {
  if (typeof value === "string") return 2 * value.length + 16;
  if (typeof value !== "object" || value === null) return 16;
  let bytes = 16;
  if (Array.isArray(value)) {
    for (const item of value) bytes += 16 + valueSize(item);
    return bytes;
  }
  for (const name in value) {
    bytes += 2 * name.length + 16 + valueSize((value as Record<string, unknown>)[name]);
  }
  return bytes;
}

/** Returns an upper bound for the encoded size of a key: a UTF-16 unit has at most 3 bytes in UTF-8. */
export function keySize(key: Deno.KvKey): number {
  let bytes = 0;
  for (const part of key) bytes += typeof part === "string" ? 3 * part.length + 2 : 10;
  return bytes;
}

/**
 * Returns the versionstamp of a change whose checks fail because the change itself has already been
 * committed, otherwise null. Deno's KV Connect client sends a commit again if the response is lost
 * or is a 5xx, and the second attempt then conflicts with what the first one wrote.
 *
 * @param entries what the store has at the checked keys, in the order of the checks
 */
export function findOwnVersionstamp(
  { checks, sets }: Change,
  entries: Deno.KvEntryMaybe<unknown>[],
): string | null {
  const written = new Map(sets.map(({ key, value }) => [keyId(key), JSON.stringify(value)]));
  const isOwn = entries.every(({ value, versionstamp }, i) =>
    versionstamp !== null && versionstamp === entries[0]!.versionstamp &&
    written.get(keyId(checks[i]!.key)) === JSON.stringify(value)
  );
  return isOwn ? entries[0]!.versionstamp : null;
}

/** Returns a string that identifies a key. */
function keyId(key: Deno.KvKey): string {
  return key.join("\0");
}

/** Returns whether a change of this size fits into what is left of a commit. */
export function fits(size: CommitSize, left: CommitSize): boolean {
  return size.checks <= left.checks && size.mutations <= left.mutations &&
    size.bytes <= left.bytes && size.keyBytes <= left.keyBytes;
}
