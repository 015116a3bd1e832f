const strict = new TextDecoder("utf-8", { fatal: true });

/** A number that may have more digits, or a larger exponent, than a JavaScript number stores. */
const LONG_NUMBER = /[\d.]{16}|\d[eE]/;

class ProtoKeyError extends Error {}

export type StrictJson =
  | { outcome: "read"; value: unknown }
  | { outcome: "malformed"; detail: string };

/**
 * Parses JSON strictly, so that nothing is changed unseen: bytes that are not UTF-8 and the key
 * `__proto__` are rejected rather than replaced. `detail` says what to do.
 */
export function parseStrictJson(bytes: Uint8Array): StrictJson {
  try {
    const text = strict.decode(bytes);
    // A key is spelled as it is, or with an escape. With a function, parsing takes four times as long.
    const needsReviver = text.includes("__proto__") || text.includes("\\") ||
      LONG_NUMBER.test(text);
    return { outcome: "read", value: JSON.parse(text, needsReviver ? revive : undefined) };
  } catch (error) {
    return { outcome: "malformed", detail: explain(error) };
  }
}

/**
 * Rejects the key `__proto__`, and returns a number that JavaScript would round as its text: a
 * 64-bit id in `diagnostics` would otherwise be stored as the id of something else.
 */
function revive(key: string, value: unknown, context?: { source?: string }): unknown {
  if (key === "__proto__") throw new ProtoKeyError();
  if (typeof value !== "number" || context?.source === undefined) return value;
  return digits(context.source) === digits(String(value)) ? value : context.source;
}

/** The significant digits of a number: those of its mantissa, without zeros at either end. */
function digits(number: string): string {
  const mantissa = number.replace(/[eE].*$/, "").replaceAll(/[^0-9]/g, "").replace(/^0+/, "");
  // An expression for the last zeros takes quadratic time.
  let end = mantissa.length;
  while (mantissa[end - 1] === "0") end--;
  return mantissa.slice(0, end);
}

function explain(error: unknown): string {
  if (error instanceof ProtoKeyError) return "The body has the key __proto__. Send it without";
  if (error instanceof TypeError) return "The body is not valid UTF-8. Encode it as UTF-8";
  // What nests too deep for the parser is a RangeError.
  if (error instanceof RangeError) return "The body nests too deep. Send a submission";
  return "The body does not parse as JSON. Send one JSON object";
}
