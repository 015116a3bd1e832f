/** Source of a pattern like {@linkcode STRING_OR_KEY}, for the rest of a string from any character on. */
export const REST_OF_STRING_OR_KEY = String.raw`(?:[^"\\]+|\\.)*"(\s*:)?`;

/** Source of a pattern that matches a string of valid JSON, and the colon after it if it is a key. */
export const STRING_OR_KEY = `"${REST_OF_STRING_OR_KEY}`;

/** Returns the key in a match of {@linkcode STRING_OR_KEY}, `token`, which ends with `colon`. */
export function readKey(token: string, colon: string): string {
  return JSON.parse(token.slice(0, -colon.length));
}

/** A JSON value, the number of keys of all objects in it, and whether it has a number. */
export interface CountedJson {
  value: unknown;
  keys: number;
  hasNumbers: boolean;
}

/** Counts the keys of all objects, without recursion: a body of 48 KiB can be nested 24,000 times. */
export function countKeys(value: unknown): CountedJson {
  let keys = 0;
  let hasNumbers = false;
  const waiting = [value];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (typeof next === "number") hasNumbers = true;
    if (typeof next !== "object" || next === null) continue;
    const fields = Object.values(next);
    if (!Array.isArray(next)) keys += fields.length;
    for (const field of fields) if (typeof field !== "string") waiting.push(field);
  }
  return { value, keys, hasNumbers };
}
