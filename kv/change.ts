/** What is written together: all of it, or nothing where a check fails. */
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
  const room = { checks: checks.length, mutations: sets.length, bytes: 0, keyBytes: 0 };
  let isWithinLimits = true;
  for (const { key } of checks) room.bytes += keySize(key);
  for (const { key, value } of sets) {
    const keyBytes = keySize(key);
    const valueBytes = valueSize(value);
    room.keyBytes += keyBytes;
    room.bytes += keyBytes + valueBytes;
    isWithinLimits &&= keyBytes <= MAX_KEY_BYTES && valueBytes <= MAX_VALUE_BYTES;
  }
  return { ...room, isWithinLimits };
}

/** No more than so many bytes: three for a UTF-16 unit in UTF-8. */
function keySize(key: Deno.KvKey): number {
  let bytes = 0;
  for (const part of key) bytes += typeof part === "string" ? 3 * part.length + 2 : 10;
  return bytes;
}

/** No more than so many bytes as V8 serialises a record: two for a UTF-16 unit. */
function valueSize(value: unknown): number {
  if (typeof value === "string") return 2 * value.length + 8;
  if (value === null || typeof value !== "object") return 10;
  let bytes = 16;
  for (const name in value) {
    bytes += valueSize(name) + valueSize((value as Record<string, unknown>)[name]);
  }
  return bytes;
}
