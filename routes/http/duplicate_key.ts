import { readKey, STRING_OR_KEY } from "./json_keys.ts";

const KEYS = new RegExp(STRING_OR_KEY, "g");
const KEYS_AND_BRACES = new RegExp(`${STRING_OR_KEY}|[{}]`, "g");

/**
 * Returns a key that occurs twice in one object of valid JSON, or null. I-JSON (RFC 7493, 2.3) forbids
 * that, and parsers disagree about which value counts; `JSON.parse` takes the last one.
 *
 * Takes linear time, and next to none for text with one colon per key: 0.1 µs for a short submission,
 * 50 µs for 48 KiB with an escape in every fourth character.
 *
 * @param value What `JSON.parse` returns for the text, with any reviver that adds no objects.
 */
export function findDuplicateKey(text: string, value: unknown): string | null {
  const keys = countKeys(value);
  // There are at least as many colons as keys in the text, and at least as many as distinct keys.
  if (countColons(text) === keys || countKeysInText(text) === keys) return null;
  const open: Set<string>[] = [];
  for (const [token, colon] of text.matchAll(KEYS_AND_BRACES)) {
    if (token === "{") open.push(new Set());
    else if (token === "}") open.pop();
    else if (colon !== undefined) {
      const key = readKey(token, colon);
      const names = open.at(-1)!;
      if (names.has(key)) return key;
      names.add(key);
    }
  }
  return null;
}

function countColons(text: string): number {
  let count = 0;
  for (let at = text.indexOf(":"); at !== -1; at = text.indexOf(":", at + 1)) count++;
  return count;
}

function countKeysInText(text: string): number {
  let count = 0;
  for (const [, colon] of text.matchAll(KEYS)) if (colon !== undefined) count++;
  return count;
}

/** Without recursion, because a body of 48 KiB can be nested 24,000 times. */
function countKeys(value: unknown): number {
  let count = 0;
  const waiting = [value];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (typeof next !== "object" || next === null) continue;
    const fields = Object.values(next);
    if (!Array.isArray(next)) count += fields.length;
    for (const field of fields) if (typeof field === "object") waiting.push(field);
  }
  return count;
}
