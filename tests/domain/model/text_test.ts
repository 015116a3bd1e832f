import { assert, assertEquals, assertFalse, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import * as z from "zod";
import {
  cleanMultiLine,
  cleanSingleLine,
  countCharacters,
  exactSingleLine,
  isBlank,
  optional,
  optionalMultiLine,
  optionalSingleLine,
  requiredSingleLine,
  truncate,
} from "../../../domain/model/text.ts";
import { anyLongText, KINDS } from "../../support/text_arbitraries.ts";

const graphemes = (text: string) =>
  [...new Intl.Segmenter("en").segment(text)].map(({ segment }) => segment);

const errorsOf = (schema: z.ZodType, value: unknown) =>
  schema.safeParse(value).error?.issues.map(({ message }) => message) ?? [];

for (const [kind, text] of Object.entries(KINDS)) {
  Deno.test(`cleaned text is well-formed and has no control character: ${kind}`, () => {
    assertFalse(/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(cleanSingleLine(text)));
    assertFalse(/[^\P{Cc}\t\n]|[\p{Cs}\u2028\u2029]/u.test(cleanMultiLine(text)));
  });
}

Deno.test("cleaning text again changes nothing, and never makes it longer", () => {
  fc.assert(fc.property(anyLongText, (text) => {
    for (const clean of [cleanSingleLine, cleanMultiLine]) {
      const once = clean(text);
      assert(once.isWellFormed());
      assertEquals(clean(once), once);
      assertLessOrEqual(once.length, text.length);
    }
  }));
});

Deno.test("cleaning leaves text that needs none unchanged", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 60 })
    .filter((text) => !/[\p{Cc}\p{Cs}\u2028\u2029\ufeff]/u.test(text) && text.trim() === text);
  fc.assert(fc.property(text, (text) => {
    assertEquals(cleanSingleLine(text), text);
    assertEquals(cleanMultiLine(text), text);
  }));
});

for (
  const [text, line] of [
    ["a\tb", "a b"],
    ["a \t\r\n  b", "a b"],
    ["a\0\x07b", "a b"],
    ["a\u2028b\u2029c\u0085d", "a b c d"],
    ["a\ud83d b\ude00", "a b"],
    ["two  spaces, \u00a0as typed", "two  spaces, \u00a0as typed"],
    ["two  spaces\tand a tab", "two  spaces and a tab"],
    [" \ufeff\u00a0a\u3000\n", "a"],
    ["\u001b[31mred\u001b[0m", "red"],
    ["\u001b[HELLO]", "[HELLO]"],
    [" \n\t\0 ", ""],
  ] as const
) {
  Deno.test(`${JSON.stringify(text)} cleaned as one line is ${JSON.stringify(line)}`, () => {
    assertEquals(cleanSingleLine(text), line);
  });
}

for (
  const [text, lines] of [
    ["\tat x\n  at y", "\tat x\n  at y"],
    ["a\r\nb\rc\n\rd", "a\nb\nc\n\nd"],
    ["a\u2028b\u2029c\u0085d\ve\ff", "a\nb\nc\nd\ne\nf"],
    ["a\0b\x07", "a\ufffdb\ufffd"],
    ["a\ud83d\n\ude00b", "a\ufffd\n\ufffdb"],
    ["\ufeffa\ufeffb", "a\ufeffb"],
    ["\u001b[1;31mERROR\u001b[0m\u001b[K at 5", "ERROR at 5"],
    ["\u001b]0;title\x07", "\ufffd]0;title\ufffd"],
    ["\u001b\u001b[m[31mx", "\ufffd[31mx"],
    [" a ", " a "],
    [" \r\n\t\ufeff ", ""],
  ] as const
) {
  Deno.test(`${JSON.stringify(text)} cleaned as lines is ${JSON.stringify(lines)}`, () => {
    assertEquals(cleanMultiLine(text), lines);
  });
}

Deno.test("cleaning takes linear time for any repeated text", () => {
  const started = performance.now();
  for (
    const piece of [
      " ",
      "\t ",
      "\u001b",
      "\u001b[",
      "\u001b[1",
      "[\u001b",
      "\r",
      "\ud83d",
      "\ufeff",
    ]
  ) {
    const text = piece.repeat(Math.ceil(50_000 / piece.length));
    for (const clean of [cleanSingleLine, cleanMultiLine]) clean(`${text}x`);
  }
  assertLessOrEqual(performance.now() - started, 1_000);
});

Deno.test("truncated text ends in an ellipsis, between grapheme clusters", () => {
  assertEquals(truncate("abcdef", 6), "abcdef");
  assertEquals(truncate("abcdefg", 6), "abcde…");
  assertEquals(truncate("😀".repeat(6), 6), "😀".repeat(6));
  assertEquals(truncate("😀".repeat(7), 6), "😀".repeat(5) + "…");
  assertEquals(truncate("ab 👩‍👩‍👧‍👦 cd", 6), "ab…");
  assertEquals(truncate("🇪🇺🇪🇺🇪🇺", 4), "🇪🇺…");
  assertEquals(truncate("e\u0301".repeat(4), 4), "e\u0301…");
  assertEquals(truncate("e" + "\u0301".repeat(9), 4), "…");
});

Deno.test("truncated text is within the limit, and truncating it again changes nothing", () => {
  fc.assert(
    fc.property(anyLongText.map(cleanMultiLine), fc.integer({ min: 1, max: 50 }), (text, max) => {
      const result = truncate(text, max);
      assertLessOrEqual(countCharacters(result), max);
      assertEquals(truncate(result, max), result);
      if (countCharacters(text) <= max) return assertEquals(result, text);
      assert(result.endsWith("…"));
      const preserved = graphemes(result.slice(0, -1));
      assertEquals(graphemes(text).slice(0, preserved.length), preserved);
    }),
  );
});

for (
  const [name, schema] of Object.entries({
    requiredSingleLine: requiredSingleLine(10),
    optionalSingleLine: optionalSingleLine(10),
    optionalMultiLine: optionalMultiLine(10),
    exactSingleLine: exactSingleLine(10),
  })
) {
  Deno.test(`${name} counts code points, not UTF-16 units`, () => {
    for (const character of ["a", "é", "€", "😀", "𝕏"]) {
      assertEquals(schema.parse(character.repeat(10)), character.repeat(10));
      assertEquals(errorsOf(schema, character.repeat(11)), ["must be at most 10 characters"]);
    }
  });

  Deno.test(`${name} rejects other types than text`, () => {
    for (const value of [1, true, ["a"], { a: "a" }]) {
      assertEquals(errorsOf(schema, value).length, 1);
    }
  });
}

Deno.test("a length is measured after cleaning", () => {
  assertEquals(requiredSingleLine(10).parse(`  ${"\0".repeat(40)}0123456789\t\n`), "0123456789");
  assertEquals(optionalMultiLine(3).parse("a\r\n\u001b[31mb"), "a\nb");
});

Deno.test("requiredSingleLine rejects text that is empty after cleaning", () => {
  for (const text of ["", " ", "\n\t ", "\u00a0", "\0", "\ud800", "\u001b[0m", "\u2028"]) {
    assertEquals(errorsOf(requiredSingleLine(10), text), ["must not be empty"]);
  }
});

Deno.test("optional text is absent if it is null or blank", () => {
  for (const schema of [optionalSingleLine(10), optionalMultiLine(10)]) {
    for (const value of [undefined, null, "", " ", "\r\n\t", "\u00a0", "\ufeff", "\u001b[0m"]) {
      assertEquals(schema.parse(value), undefined);
    }
  }
});

Deno.test("anything optional is absent if it is null or blank text", () => {
  const schema = optional(z.object({ a: z.string() }));
  for (const value of [undefined, null, "", " \t", "\0"]) {
    assert(value === undefined || isBlank(value));
    assertEquals(schema.parse(value), undefined);
  }
  assertEquals(schema.parse({ a: "" }), { a: "" });
  assertEquals(errorsOf(schema, "x").length, 1);
});

Deno.test("text without a visible character is blank; marks in visible text are preserved", () => {
  const marks =
    "\u00ad\u034f\u061c\u115f\u180e\u200b\u200d\u200e\u202e\u2060\u2800\u3164\ufe0f\ufeff\uffa0\u{e0020}";
  for (const mark of marks) {
    for (const text of [mark, ` ${mark}\n`, mark.repeat(300), `${mark}\t\u00a0${mark}`]) {
      assertEquals([cleanSingleLine(text), cleanMultiLine(text), isBlank(text)], ["", "", true]);
      assertEquals(errorsOf(requiredSingleLine(10), text), ["must not be empty"]);
      assertEquals(optionalSingleLine(10).parse(text), undefined);
      assertEquals(optionalMultiLine(10).parse(text), undefined);
    }
    assertEquals([cleanSingleLine(`a${mark}b`), cleanMultiLine(`a${mark}b`)], [
      `a${mark}b`,
      `a${mark}b`,
    ]);
  }
});

Deno.test("exactSingleLine returns an identifier unchanged, or rejects it", () => {
  for (const text of [" a ", "a\u00a0", "é\u0301"]) {
    assertEquals(exactSingleLine(10).parse(text), text);
  }
  for (const text of ["a\nb", "a\tb", "a\0", "\ud800", "a\u2028"]) {
    assertEquals(errorsOf(exactSingleLine(10), text).length, 1);
  }
});
