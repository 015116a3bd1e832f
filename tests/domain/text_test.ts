import { assert, assertEquals, assertFalse } from "@std/assert";
import fc from "fast-check";
import { line, lines, requiredLine } from "../../domain/text.ts";

const all = { line: line(10), lines: lines(10), requiredLine: requiredLine(10) };

const accepts = (schema: typeof all.line, text: unknown) => schema.safeParse(text).success;

for (const [name, schema] of Object.entries(all)) {
  Deno.test(`${name} counts characters as people do, not UTF-16 units`, () => {
    for (const character of ["a", "é", "€", "😀", "𝕏"]) {
      assert(accepts(schema, character.repeat(10)), character);
      assertFalse(accepts(schema, character.repeat(11)), character);
    }
  });

  Deno.test(`${name} refuses half of a surrogate pair`, () => {
    for (const text of ["\ud83d", "\ude00", "a\ud83db", "\ude00\ud83d", "😀\ud83d"]) {
      assertFalse(accepts(schema, text), JSON.stringify(text));
    }
  });

  Deno.test(`${name} refuses control characters and Unicode's own line breaks`, () => {
    const controls = [...Array(0x20).keys(), 0x7f, 0x80, 0x85, 0x9f, 0x2028, 0x2029]
      .filter((code) => code !== 0x0a);
    for (const code of controls) {
      const text = `a${String.fromCharCode(code)}b`;
      assertFalse(accepts(schema, text), JSON.stringify(text));
    }
  });

  Deno.test(`${name} refuses what is no text`, () => {
    for (const value of [1, null, true, ["a"], { a: "a" }, undefined]) {
      assertFalse(accepts(schema, value));
    }
  });

  Deno.test(`${name} changes nothing of a text that it accepts but the space around it`, () => {
    const character = fc.oneof(
      fc.constantFrom("a", "B", "é", "E\u0301", "ﬁ", "😀", " ", "\n", "\t", "\ud83d", "\ude00"),
      fc.nat(0x10ffff).map((code) => String.fromCodePoint(code)),
    );
    const texts = fc.array(character, { maxLength: 12 }).map((characters) => characters.join(""));
    fc.assert(fc.property(texts, (text) => {
      const parsed = schema.safeParse(text);
      if (parsed.success) assertEquals(parsed.data.trim(), text.trim());
    }));
  });
}

Deno.test("requiredLine trims, then counts", () => {
  assertEquals(requiredLine(10).parse("  0123456789\t\n"), "0123456789");
  assertEquals(requiredLine(10).parse("\u00a0\ufeffa\u3000"), "a");
});

Deno.test("requiredLine refuses what is empty once trimmed", () => {
  for (const text of ["", " ", "\n\t ", "\u00a0"]) assertFalse(accepts(all.requiredLine, text));
});

Deno.test("line and requiredLine refuse a line break inside", () => {
  for (const text of ["a\nb", "a\r\nb"]) {
    assertFalse(accepts(all.line, text));
    assertFalse(accepts(all.requiredLine, text));
  }
});

Deno.test("line and lines keep the space around a text, and an empty one", () => {
  for (const text of ["", " a ", "\u00a0"]) {
    assertEquals(all.line.parse(text), text);
    assertEquals(all.lines.parse(text), text);
  }
});

Deno.test("lines accepts line breaks of every common kind", () => {
  for (const text of ["a\nb", "a\r\nb", "\n\n", "\r\n\r\n"]) {
    assertEquals(all.lines.parse(text), text);
  }
  for (const text of ["a\rb", "\r", "\n\r"]) assertFalse(accepts(all.lines, text));
});
