import { longNumber } from "../../domain/model/long_number.ts";
import { findDuplicateKey } from "./duplicate_key.ts";
import { aliasEscapedKeys, hasEscapedKey, restoreKeys } from "./escaped_keys.ts";
import { type CountedJson, countKeys } from "./json_keys.ts";
import { truncateName } from "./truncate_name.ts";

const utf8 = new TextDecoder();
const strictUtf8 = new TextDecoder("utf-8", { fatal: true });

/** May match a number with more digits, or a larger exponent, than a JavaScript number holds. */
const LONG_NUMBER = /[\d.]{16}|\d[eE]/;

/** The JSON has the key `__proto__`. */
class ProtoKeyError extends Error {}

export type StrictJson =
  | { outcome: "read"; value: unknown }
  | { outcome: "malformed"; detail: string };

/**
 * Parses JSON so that nothing is changed silently: invalid UTF-8, the key `__proto__` and a key that
 * occurs twice in an object are rejected instead of being replaced or dropped, and a number that
 * JavaScript would round is returned as a {@linkcode longNumber}. `detail` says what to do.
 */
export function parseStrictJson(bytes: Uint8Array): StrictJson {
  try {
    const text = decode(bytes);
    const { value, keys } = parse(text);
    const duplicate = findDuplicateKey(text, keys);
    return duplicate === null
      ? { outcome: "read", value }
      : { outcome: "malformed", detail: explainDuplicate(duplicate) };
  } catch (error) {
    return { outcome: "malformed", detail: explain(error) };
  }
}

/**
 * Decodes UTF-8. The strict decoder takes four times as long, so it decides only about text with a
 * replacement character: whether that was sent, or replaces what is invalid.
 *
 * @throws {TypeError} if it is invalid
 */
function decode(bytes: Uint8Array): string {
  const text = utf8.decode(bytes);
  return text.includes("\ufffd") ? strictUtf8.decode(bytes) : text;
}

/** Parses with a reviver, which takes four times as long, only if a key or a number needs it. */
function parse(text: string): CountedJson {
  const parsed = countKeys(JSON.parse(text));
  // Only after the first parser has found the text to be valid.
  if (hasEscapedKey(text)) return countKeys(JSON.parse(aliasEscapedKeys(text), reviveAliased));
  const needsReviver = text.includes("__proto__") || parsed.hasNumbers && LONG_NUMBER.test(text);
  return needsReviver ? countKeys(JSON.parse(text, revive)) : parsed;
}

/** Does what {@linkcode revive} does, for text whose keys have aliases. */
function reviveAliased(key: string, value: unknown, context?: { source?: string }): unknown {
  const restored = restoreKeys(revive(key, value, context));
  if (restored !== value && Object.hasOwn(restored as object, "__proto__")) {
    throw new ProtoKeyError();
  }
  return restored;
}

/** Rejects the key `__proto__`, and marks numbers that lost digits. */
function revive(key: string, value: unknown, context?: { source?: string }): unknown {
  if (key === "__proto__") throw new ProtoKeyError();
  if (typeof value !== "number" || context?.source === undefined) return value;
  const { source } = context;
  return significantDigits(source) === significantDigits(String(value))
    ? value
    : longNumber(source);
}

/** Returns the digits of a number's mantissa, without leading and trailing zeros. */
function significantDigits(number: string): string {
  const mantissa = number.replace(/[eE].*$/, "").replaceAll(/[^0-9]/g, "").replace(/^0+/, "");
  // A regular expression for the trailing zeros takes quadratic time.
  let end = mantissa.length;
  while (mantissa[end - 1] === "0") end--;
  return mantissa.slice(0, end);
}

function explainDuplicate(key: string): string {
  return `The key ${JSON.stringify(truncateName(key))} occurs twice in one object. Send it once`;
}

function explain(error: unknown): string {
  if (error instanceof ProtoKeyError) return "Remove the key __proto__ from the body";
  if (error instanceof TypeError) return "Encode the body as UTF-8";
  // The parser throws a RangeError if the nesting is too deep.
  if (error instanceof RangeError) {
    return "The body is nested too deeply. Send it with less nesting";
  }
  return "Check its syntax. Send one JSON object";
}
