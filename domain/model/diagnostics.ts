import * as z from "zod";
import { longNumberText } from "./long_number.ts";
import { cleanMultiLine, cleanSingleLine, countCharacters, truncate } from "./text.ts";

const MAX_KEYS = 20;
const MAX_KEY_LENGTH = 64;
const MAX_VALUE_LENGTH = 4_000;
/** The limit for all values together. */
const MAX_LENGTH = 10_000;

/** Replaces a blank key. */
const UNNAMED = "unnamed";

/** The key of the entry that lists the keys that are not stored. */
const NOT_STORED = "not stored";
/** The limit for that list, which could otherwise displace values. */
const MAX_NAMES_LENGTH = 500;

type Value = string | number | boolean | null;
const Value: z.ZodType<Value, Value> = z.preprocess(
  longNumberText,
  z.union([z.string(), z.number(), z.boolean(), z.null()], {
    error: "must be a string, a number or a boolean",
  }),
) as never;

/**
 * What the product knows about the situation, for support agents. A program collects it, so what is
 * too long or too much is truncated: it must not cost a person the support request.
 */
export const Diagnostics = z.record(z.string(), Value).transform(cleanDiagnostics);
export type Diagnostics = Record<string, string>;

interface Entry {
  key: string;
  value: string;
}

/**
 * Returns the diagnostics to store: values as text, without blank ones, at most 20, in the order in
 * which they were sent. Returns undefined if there is none.
 *
 * Except for the order, the result does not depend on the order of `sent`: a retry that sends the
 * same object in another order is the same submission.
 */
function cleanDiagnostics(sent: Record<string, unknown>): Diagnostics | undefined {
  const present: Entry[] = [];
  const usual: Diagnostics = {};
  let isUsual = true;
  let length = 0;
  for (const [key, sentValue] of Object.entries(sent)) {
    const value = sentValue === null ? "" : cleanMultiLine(String(sentValue));
    if (value === "") continue;
    present.push({ key, value });
    length += value.length;
    if (cleanName(key) === key) usual[key] = value;
    else isUsual = false;
  }
  if (present.length === 0) return undefined;
  // Nothing to rename, omit or truncate. The rest would take 2 % of a submission.
  if (isUsual && present.length <= MAX_KEYS && length <= MAX_VALUE_LENGTH) return usual;
  const stored = limitKeys(present);
  const names = uniqueNames(stored.map(({ key }) => key));
  const values = truncateTogether(stored.map(({ value }) => value));
  return Object.fromEntries(names.map((name, i) => [name, values[i]!]));
}

/**
 * Returns the entries. If there are more than 20, returns the first 19 by key, in the order in
 * which they were sent, and an entry that counts and lists the others, so that nothing is dropped
 * silently.
 */
function limitKeys(entries: Entry[]): Entry[] {
  if (entries.length <= MAX_KEYS) return entries;
  const sorted = entries.toSorted((a, b) => byCodeUnits(a.key, b.key));
  const first = new Set(sorted.slice(0, MAX_KEYS - 1));
  const others = sorted.slice(MAX_KEYS - 1);
  const names = truncate(others.map(({ key }) => cleanName(key)).join(", "), MAX_NAMES_LENGTH);
  const stored = entries.filter((entry) => first.has(entry));
  // A trailing space distinguishes it from a key that was sent; `uniqueNames` then numbers it.
  let key = NOT_STORED;
  while (stored.some((entry) => entry.key === key)) key += " ";
  return [...stored, { key, value: `${others.length} more: ${names}` }];
}

/**
 * Returns a clean name for each key, in their order. A key that needs no cleaning is its own name.
 * Names that cleaning makes equal are numbered, so that no value replaces another.
 */
function uniqueNames(keys: string[]): string[] {
  const clean = new Map(keys.map((key) => [key, cleanName(key)]));
  const names = new Map<string, string>();
  const taken = new Set<string>();
  const isClean = (key: string) => clean.get(key) === key;
  for (
    const key of [
      ...keys.filter(isClean),
      ...keys.filter((key) => !isClean(key)).sort(byCodeUnits),
    ]
  ) {
    let name = clean.get(key)!;
    for (let number = 2; taken.has(name); number++) name = numbered(clean.get(key)!, number);
    taken.add(name);
    names.set(key, name);
  }
  return keys.map((key) => names.get(key)!);
}

function cleanName(key: string): string {
  const name = truncate(cleanSingleLine(key), MAX_KEY_LENGTH);
  // A body with this key is rejected, and reading a record would lose its value.
  return name === "__proto__" ? "proto" : name || UNNAMED;
}

function numbered(name: string, number: number): string {
  const suffix = ` (${number})`;
  return truncate(name, MAX_KEY_LENGTH - suffix.length) + suffix;
}

/** Truncates the longest values until all fit together, so that short values stay whole. */
function truncateTogether(values: string[]): string[] {
  const texts = values.map((value) => truncate(value, MAX_VALUE_LENGTH));
  // `length` is never less than the number of characters, so usually nothing needs counting.
  if (texts.reduce((sum, { length }) => sum + length, 0) <= MAX_LENGTH) return texts;
  const lengths = texts.map(countCharacters).sort((a, b) => a - b);
  let remaining = MAX_LENGTH;
  for (const [i, length] of lengths.entries()) {
    const share = Math.floor(remaining / (lengths.length - i));
    if (length > share) return texts.map((value) => truncate(value, share));
    remaining -= length;
  }
  return texts;
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
