/**
 * Returns a 32-bit hash of a key: FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/), over UTF-16 units.
 * Cheaper than a string that identifies the key, and leaves nothing to collect. Two keys may have the
 * same hash, so use it only if that does no harm.
 */
export function hashKey(key: Deno.KvKey): number {
  let hash = 0x811c9dc5;
  for (const part of key) {
    const text = String(part);
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    // Separates the parts.
    hash = Math.imul(hash, 0x01000193);
  }
  return hash;
}
