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
export interface Room {
  checks: number;
  mutations: number;
  /** Of keys and values. */
  bytes: number;
  keyBytes: number;
}

/** Deno KV's own limits; of checks a KV Connect server may allow fewer. */
export const ROOM: Room = { checks: 100, mutations: 1_000, bytes: 819_200, keyBytes: 81_920 };

const MAX_KEY_BYTES = 2_048;
const MAX_VALUE_BYTES = 65_536;

/** How much room a change takes, at the most, and whether it is certain to be within KV's limits. */
export function measure({ checks, sets }: Change): Room & { isWithinLimits: boolean } {
  const keys = sets.map(({ key }) => keySize(key));
  const keyBytes = keys.reduce((sum, size) => sum + size, 0);
  // V8 serialises a character to two bytes, and what JSON puts around a text takes as many as its
  // own marks. Of all values together, because one look is quicker than a look at each.
  const valueBytes = 2 * JSON.stringify(sets).length + 16 * sets.length;
  return {
    checks: checks.length,
    mutations: sets.length,
    bytes: checks.reduce((sum, { key }) => sum + keySize(key), keyBytes + valueBytes),
    keyBytes,
    isWithinLimits: valueBytes <= MAX_VALUE_BYTES && keys.every((size) => size <= MAX_KEY_BYTES),
  };
}

/** No more than so many bytes: three for a UTF-16 unit in UTF-8. */
function keySize(key: Deno.KvKey): number {
  let bytes = 0;
  for (const part of key) bytes += typeof part === "string" ? 3 * part.length + 2 : 10;
  return bytes;
}

/**
 * The versionstamp of a change whose checks fail because it is written already, or null. Deno's
 * client of KV Connect sends a commit again when its answer was lost, also on a 5xx, and the second
 * one finds what the first one wrote.
 */
export function landedAs(
  { checks, sets }: Change,
  present: Deno.KvEntryMaybe<unknown>[],
): string | null {
  const written = new Map(sets.map(({ key, value }) => [nameOf(key), JSON.stringify(value)]));
  const isOurs = present.every(({ value, versionstamp }, i) =>
    versionstamp !== null && versionstamp === present[0]!.versionstamp &&
    written.get(nameOf(checks[i]!.key)) === JSON.stringify(value)
  );
  return isOurs ? present[0]!.versionstamp : null;
}

/** The same for the same key. */
export function nameOf(key: Deno.KvKey): string {
  return key.join("\0");
}

/** Whether what takes so much has room in what is left. */
export function isWithin(size: Room, left: Room): boolean {
  return size.checks <= left.checks && size.mutations <= left.mutations &&
    size.bytes <= left.bytes && size.keyBytes <= left.keyBytes;
}
