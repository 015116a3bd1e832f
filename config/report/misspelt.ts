/** Shorter names, such as `HOST`, are too close to names that other programs read. */
const MIN_LENGTH = 6;
const MAX_DISTANCE = 2;

/** Returns the known name that `name` probably stands for, or undefined. */
export function closestName(name: string, known: readonly string[]): string | undefined {
  return known.find((candidate) => distance(candidate, name.toUpperCase()) <= MAX_DISTANCE);
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
