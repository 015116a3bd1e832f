/**
 * What is written together: all of it, or nothing where a check fails. What it writes to the keys
 * that it checks is like no other change's, so that it can be told to have been written.
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

/** The most that KV takes in one commit, and of which each change takes some. */
export interface CommitSize {
  checks: number;
  mutations: number;
  /** Of keys and values. */
  bytes: number;
  keyBytes: number;
}

/** Deno KV's own limits; of checks a KV Connect server may allow fewer. */
export const KV_LIMITS: CommitSize = {
  checks: 100,
  mutations: 1_000,
  bytes: 819_200,
  keyBytes: 81_920,
};

const MAX_KEY_BYTES = 2_048;
const MAX_VALUE_BYTES = 65_536;

/** How much room a change takes, at the most, and whether it is certain to be within KV's limits. */
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
 * No less than V8 serialises a record to: two bytes for a character, and less than 16 for what
 * surrounds a value. It takes half as long as the length of its JSON. `for … in` would be slow for
 * arrays.
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

/** No more than so many bytes: three for a UTF-16 unit in UTF-8. */
export function keySize(key: Deno.KvKey): number {
  let bytes = 0;
  for (const part of key) bytes += typeof part === "string" ? 3 * part.length + 2 : 10;
  return bytes;
}

/**
 * The versionstamp of a change whose checks fail because it is written already, or null. Deno's
 * client of KV Connect sends a commit again when its answer was lost, also on a 5xx, and the second
 * one finds what the first one wrote.
 */
export function findOwnVersionstamp(
  { checks, sets }: Change,
  present: Deno.KvEntryMaybe<unknown>[],
): string | null {
  const written = new Map(sets.map(({ key, value }) => [keyId(key), JSON.stringify(value)]));
  const isOurs = present.every(({ value, versionstamp }, i) =>
    versionstamp !== null && versionstamp === present[0]!.versionstamp &&
    written.get(keyId(checks[i]!.key)) === JSON.stringify(value)
  );
  return isOurs ? present[0]!.versionstamp : null;
}

/** The same for the same key. */
export function keyId(key: Deno.KvKey): string {
  return key.join("\0");
}

/** Whether what takes so much has room in what is left. */
export function fits(size: CommitSize, left: CommitSize): boolean {
  return size.checks <= left.checks && size.mutations <= left.mutations &&
    size.bytes <= left.bytes && size.keyBytes <= left.keyBytes;
}
