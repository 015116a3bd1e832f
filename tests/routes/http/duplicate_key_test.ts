import { assertEquals, assertLess } from "@std/assert";
import fc from "fast-check";
import { findDuplicateKey } from "../../../routes/http/duplicate_key.ts";
import { countKeys } from "../../../routes/http/json_keys.ts";
import { parseStrictJson } from "../../../routes/http/strict_json.ts";
import { randomFrom } from "../../support/random.ts";

const find = (text: string) => findDuplicateKey(text, countKeys(JSON.parse(text)).keys);

/** Short names, so that some are equal, with what JSON escapes and what looks like a key. */
const name = fc.oneof(
  fc.constantFrom("a", "b", "", '"', "\\", '":', "{", "}", '{"a":1}', "\u2028", "\ud800", "ключ"),
  fc.string({ maxLength: 3, unit: "binary" }),
).filter((name) => name !== "__proto__");

const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(fc.constant(null), fc.integer(), fc.boolean(), name),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(name, tie("value"), { maxKeys: 5 }),
  ),
})).value;

/** Writes JSON as an encoder may: with blanks anywhere, and with any character of a key escaped. */
function write(value: unknown, random: () => number): string {
  const blank = () => " \n\t\r".slice(0, Math.floor(random() * 5));
  if (Array.isArray(value)) {
    return `[${value.map((item) => blank() + write(item, random) + blank()).join(",")}]`;
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).map(([name, field]) =>
    `${blank()}${writeKey(name, random)}${blank()}:${blank()}${write(field, random)}${blank()}`
  );
  return `{${fields.join(",")}}`;
}

function writeKey(name: string, random: () => number): string {
  if (random() < 0.5) return JSON.stringify(name);
  const units = Array.from(
    { length: name.length },
    (_, i) => `\\u${name.charCodeAt(i).toString(16).padStart(4, "0")}`,
  );
  return `"${units.join("")}"`;
}

Deno.test("JSON without a key that occurs twice in an object is read as sent", () => {
  fc.assert(
    fc.property(json, fc.integer(), (value, seed) => {
      const text = write(value, randomFrom(seed));
      assertEquals(find(text), null);
      // With the prototype that parsed objects have.
      const sent = structuredClone(value);
      assertEquals(parseStrictJson(new TextEncoder().encode(text)), {
        outcome: "read",
        value: sent,
      });
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("a key that occurs twice in an object is found, in any place and form", () => {
  fc.assert(
    fc.property(json, name, json, fc.integer(), (inner, key, around, seed) => {
      const random = randomFrom(seed);
      const value = () => write(inner, random);
      const twice = `{${writeKey(key, random)}:${value()},"other…":${value()} , ${
        writeKey(key, random)
      } :${value()}}`;
      assertEquals(find(twice), key);
      assertEquals(find(`[${write(around, random)},{"a":[${twice},{}],"b":""}]`), key);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("the search for a key that occurs twice takes linear time", () => {
  const texts: Record<string, (length: number) => string> = {
    "colons": (length) => `{"a":"${":".repeat(length)}"}`,
    "escapes": (length) => `{"a":"${'\\"'.repeat(length / 2)}:"}`,
    "blanks": (length) => `{"a":":"${" ".repeat(length)}}`,
    "blanks before colons": (length) => `{"a":"${" :".repeat(length / 2)}"}`,
    "short texts": (length) => `[${Array(length / 10).fill('"a:"    ').join(",")}]`,
    "arrays": (length) => `${"[".repeat(length / 2)}":"${"]".repeat(length / 2)}`,
    "objects": (length) => `${'{"a":'.repeat(length / 10)}":"${"}".repeat(length / 10)}`,
    "keys": (length) => `{${Array.from({ length: length / 10 }, (_, i) => `"k${i}":":"`)}}`,
    "a late key": (length) =>
      `{${Array.from({ length: length / 10 }, (_, i) => `"k${i}":1,`).join("")}"k0":":"}`,
  };
  for (const [what, create] of Object.entries(texts)) {
    const text = create(1_000_000);
    const start = performance.now();
    find(text);
    // Up to a second on a busy machine; quadratic time would be many minutes.
    assertLess(performance.now() - start, 10_000, what);
  }
});
