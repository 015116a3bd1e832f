/**
 * Keys with escapes, which `JSON.parse` of Deno 2.9.6 (V8 15.0) may read as another key. It compares
 * the escaped text with the key that an earlier object had at the same place: after `{"a":1,"\\":2}`
 * it reads `{"a":1,"\u00e9":2}` as that, although the two may belong to different tenants.
 */
import { readKey, REST_OF_STRING_OR_KEY, STRING_OR_KEY } from "./json_keys.ts";

const KEYS = new RegExp(STRING_OR_KEY, "g");
const REST = new RegExp(REST_OF_STRING_OR_KEY, "y");
/** Begins an alias. A private character of Unicode, so that nearly no other key begins with it. */
const MARK = "\uf8ff";

/**
 * Returns whether valid JSON has a key with an escape. Looks only at strings with an escape, because
 * every description of more than one line is one.
 */
export function hasEscapedKey(text: string): boolean {
  let at = text.indexOf("\\");
  while (at !== -1) {
    REST.lastIndex = at;
    const [rest, colon] = REST.exec(text)!;
    if (colon !== undefined) return true;
    at = text.indexOf("\\", at + rest.length);
  }
  return false;
}

/**
 * Returns valid JSON in which every key with an escape has an alias without one.
 */
export function aliasEscapedKeys(text: string): string {
  return text.replaceAll(KEYS, (token: string, colon: string | undefined) => {
    if (colon === undefined || !/[\\\uf8ff]/.test(token)) return token;
    const key = readKey(token, colon);
    const units = Array.from({ length: key.length }, (_, i) => key.charCodeAt(i).toString(16));
    return `"${MARK}${units.join(" ")}"${colon}`;
  });
}

/**
 * Parses JSON, with its escaped keys as they were sent.
 *
 * @throws {SyntaxError}
 */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (!hasEscapedKey(text)) return value;
  return JSON.parse(aliasEscapedKeys(text), (_, value) => restoreKeys(value));
}

/** Returns an object of {@linkcode aliasEscapedKeys} with its own keys, and any other value unchanged. */
export function restoreKeys(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value);
  if (!entries.some(([name]) => name.startsWith(MARK))) return value;
  return Object.fromEntries(entries.map(([name, field]) => [restoreKey(name), field]));
}

function restoreKey(name: string): string {
  if (!name.startsWith(MARK)) return name;
  const units = name.slice(MARK.length).split(" ").filter(Boolean);
  return String.fromCharCode(...units.map((unit) => parseInt(unit, 16)));
}
