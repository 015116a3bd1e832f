/** Source of a pattern that matches a string of valid JSON, and the colon after it if it is a key. */
export const STRING_OR_KEY = String.raw`"(?:[^"\\]+|\\.)*"(\s*:)?`;

/** Returns the key in a match of {@linkcode STRING_OR_KEY}, `token`, which ends with `colon`. */
export function readKey(token: string, colon: string): string {
  return JSON.parse(token.slice(0, -colon.length));
}
