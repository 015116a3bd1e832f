/** In characters. Longer than any valid name. */
const MAX_NAME_LENGTH = 80;

/** Returns the name, or its beginning and an ellipsis if it is long. */
export function truncateName(name: string): string {
  if (name.length <= MAX_NAME_LENGTH) return name;
  // A character has at most two UTF-16 units: this avoids splitting the whole of a long name.
  const characters = [...name.slice(0, 2 * MAX_NAME_LENGTH + 2)];
  return characters.length <= MAX_NAME_LENGTH
    ? name
    : `${characters.slice(0, MAX_NAME_LENGTH).join("")}…`;
}
