import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseIdempotencyKey } from "../../../routes/v1/idempotency_key.ts";

Deno.test("a quoted idempotency key is the same key as the unquoted one", () => {
  for (
    const [header, key] of [
      ["k-1", "k-1"],
      ['"k-1"', "k-1"],
      [String.raw`"a\"b\\c"`, String.raw`a"b\c`],
      ['"k-1";a', "k-1"],
      ['"k-1"; a=1;b="x\\"y";c=:aGk=:;d=?1;e=-1.5;f=tok/en:*', "k-1"],
      ['"k-1" ;a=1', "k-1"],
      [`"${"k".repeat(255)}"`, "k".repeat(255)],
      [`"${String.raw`\\`.repeat(255)}"`, "\\".repeat(255)],
      ['"k;a=1"', "k;a=1"],
      // Only a quote at the start makes a key a structured field.
      ["k;a=1", "k;a=1"],
      ['k"1"', 'k"1"'],
      [String.raw`a\b`, String.raw`a\b`],
    ] as const
  ) assertEquals(parseIdempotencyKey(header), key, header);
});

Deno.test("a malformed quoted idempotency key is rejected", () => {
  for (
    const header of [
      '"',
      '""',
      '"k-1',
      '"k"1"',
      '"k-1" x',
      '"k-1"x',
      '"a b"',
      '" "',
      '"a\tb"',
      '"clé"',
      String.raw`"a\b"`,
      String.raw`"a\"`,
      '"k-1", "k-2"',
      '"k-1";',
      '"k-1";A=1',
      '"k-1";a=',
      '"k-1";a="',
      '"k-1";a b',
      '"k-1" a=1',
      `"${"k".repeat(256)}"`,
      `"k${"\\".repeat(30_000)}`,
      `"k"${";a".repeat(20_000)}=`,
      "'k 1'",
      "",
    ]
  ) assertEquals(parseIdempotencyKey(header), null, header.slice(0, 40));
});

Deno.test("every key in visible ASCII can be sent in quotes", () => {
  const character = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code));
  const keys = fc.string({ unit: character, minLength: 1, maxLength: 255 });
  fc.assert(fc.property(keys, (key) => {
    const quoted = `"${key.replaceAll(/["\\]/g, "\\$&")}"`;
    assertEquals(parseIdempotencyKey(quoted), key);
  }));
});
