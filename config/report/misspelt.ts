/** Shorter names, such as `HOST`, are too close to names that other programs read. */
const MIN_LENGTH = 6;
const MAX_DISTANCE = 2;

/** Returns the known name that `name` probably stands for, or undefined. */
export function closestName(name: string, known: readonly string[]): string | undefined {
  const upperCase = name.toUpperCase();
  return known.find((candidate) => isClose(candidate, upperCase));
}

/**
 * Returns a warning for each name in the environment that is probably a misspelt variable of
 * Deskhand. Other programs read an environment, too, so only names that are close to a known one,
 * or that have Deskhand's own prefix, count. Contains no value.
 *
 * @param known The variables that Deskhand reads.
 */
export function findMisspelt(names: Iterable<string>, known: readonly string[]): string[] {
  const longNames = known.filter((name) => name.length >= MIN_LENGTH);
  return [...names].filter((name) => /^\w+$/.test(name) && !known.includes(name)).flatMap(
    (name) => {
      const close = closestName(name, longNames);
      if (close === undefined && !name.toUpperCase().startsWith("SUPPORT_DESK_")) return [];
      const hint = close === undefined ? "" : ` (is it ${close}?)`;
      return [`${name} in the environment is no variable of Deskhand${hint} and is ignored`];
    },
  );
}

/**
 * Whether the Levenshtein distance, the number of characters to change, add or remove, is at most
 * `MAX_DISTANCE`. Most names of an environment are dismissed by their length or their letters, because
 * a service calls this for each of them when it starts.
 */
function isClose(a: string, b: string): boolean {
  return Math.abs(a.length - b.length) <= MAX_DISTANCE && countMissing(a, b) <= MAX_DISTANCE &&
    distance(a, b) <= MAX_DISTANCE;
}

/** Returns how many characters of `a` do not occur in `b`: each of them must be changed or removed. */
function countMissing(a: string, b: string): number {
  let missing = 0;
  for (const character of a) if (!b.includes(character)) missing++;
  return missing;
}

/** Returns the Levenshtein distance: how many characters must be changed, added or removed. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
