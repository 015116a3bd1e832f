import { z } from "zod";
import { cleanMultiLine, cleanSingleLine, countCharacters, truncate } from "./text.ts";

const MAX_KEYS = 20;
const MAX_KEY_LENGTH = 64;
const MAX_VALUE_LENGTH = 4_000;
/** Of all values together. */
const MAX_LENGTH = 10_000;

/** The key of a value that was sent under a blank one. */
const UNNAMED = "unnamed";

/** The key under which the keys are named that are not stored. */
const NOT_STORED = "not stored";
/** Of the names of those keys, which would otherwise displace what the values say. */
const MAX_NAMES_LENGTH = 500;

const Value = z.union([z.string(), z.number(), z.boolean(), z.null()], {
  error: "must be a string, a number or a boolean",
});

/**
 * What the product knows about the situation, for the support agents. A program collects it, so
 * nothing that is merely too long or too much costs a person the request: it is cut.
 */
export const Diagnostics = z.record(z.string(), Value).transform(cleanDiagnostics);
export type Diagnostics = Record<string, string>;

interface Entry {
  key: string;
  value: string;
}

/**
 * Returns the diagnostics as they are stored: values as text, blank ones left out, at most 20 in the
 * order in which they were sent; undefined if none is left.
 *
 * The result does not depend on the order of `sent`, but for its own order: a client whose retry
 * sends the same object in another order sends the same submission.
 */
function cleanDiagnostics(sent: Record<string, unknown>): Diagnostics | undefined {
  const present = Object.entries(sent)
    .map(([key, value]) => ({ key, value: value === null ? "" : cleanMultiLine(String(value)) }))
    .filter(({ value }) => value !== "");
  if (present.length === 0) return undefined;
  const kept = withinMaxKeys(present);
  const names = uniqueNames(kept.map(({ key }) => key));
  const values = cutTogether(kept.map(({ value }) => value));
  return Object.fromEntries(kept.map(({ key }, i) => [names.get(key)!, values[i]!]));
}

/**
 * Returns the entries, or of more than 20 the first 19 by key, in the order in which they were sent,
 * and one that says how many others there were and names them: nothing is left out silently.
 */
function withinMaxKeys(entries: Entry[]): Entry[] {
  if (entries.length <= MAX_KEYS) return entries;
  const sorted = entries.toSorted((a, b) => byCodeUnits(a.key, b.key));
  const first = new Set(sorted.slice(0, MAX_KEYS - 1));
  const others = sorted.slice(MAX_KEYS - 1);
  const names = truncate(others.map(({ key }) => cleanName(key)).join(", "), MAX_NAMES_LENGTH);
  const kept = entries.filter((entry) => first.has(entry));
  // A blank makes it another key than one that was sent, and uniqueNames numbers it.
  let key = NOT_STORED;
  while (kept.some((entry) => entry.key === key)) key += " ";
  return [...kept, { key, value: `${others.length} more: ${names}` }];
}

/**
 * Returns a clean name for each key. A key that is clean already has its own name; of others that
 * cleaning makes equal, each has a number, so that no value replaces another.
 */
function uniqueNames(keys: string[]): Map<string, string> {
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
  return names;
}

function cleanName(key: string): string {
  const name = truncate(cleanSingleLine(key), MAX_KEY_LENGTH);
  // A body with this key is rejected, and a record would lose its value when it is read.
  return name === "__proto__" ? "proto" : name || UNNAMED;
}

function numbered(name: string, number: number): string {
  const suffix = ` (${number})`;
  return truncate(name, MAX_KEY_LENGTH - suffix.length) + suffix;
}

/** Cuts the longest values until all fit together, so that a long one costs no short one anything. */
function cutTogether(values: string[]): string[] {
  const whole = values.map((value) => truncate(value, MAX_VALUE_LENGTH));
  // UTF-16 units are never fewer than characters: mostly nothing needs counting.
  if (whole.reduce((sum, { length }) => sum + length, 0) <= MAX_LENGTH) return whole;
  const lengths = whole.map(countCharacters).sort((a, b) => a - b);
  let left = MAX_LENGTH;
  for (const [i, length] of lengths.entries()) {
    const share = Math.floor(left / (lengths.length - i));
    if (length > share) return whole.map((value) => truncate(value, share));
    left -= length;
  }
  return whole;
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
