/**
 * A JSON number with more digits than a JavaScript number holds, such as a 64-bit ID. The parser of
 * a body marks it, so that diagnostics store the text that was sent and no other field accepts it.
 *
 * It is a symbol, because schemas of strings, objects and lists all reject symbols by themselves.
 * An object schema would accept an instance of any class.
 */
export type LongNumber = symbol;

/** Marks a number by its text, as it was sent. */
export function longNumber(text: string): LongNumber {
  return Symbol(text);
}

/** Returns the text of a marked number, and any other value unchanged. */
export function longNumberText(value: unknown): unknown {
  return typeof value === "symbol" ? value.description : value;
}
