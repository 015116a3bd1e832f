/** Returns the value below which a `share` of the sorted values lies. */
export function at(sorted: ArrayLike<number>, share: number): number {
  if (sorted.length === 0) throw new Error("There is no value");
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

/** Returns the middle value, or the mean of the two middle ones. */
export function median(values: Iterable<number>): number {
  const sorted = new Float64Array(values).sort();
  const middle = sorted.length / 2;
  return (at(sorted, (middle - 0.5) / sorted.length) + at(sorted, 0.5)) / 2;
}
