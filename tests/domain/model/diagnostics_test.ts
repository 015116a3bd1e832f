import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { Diagnostics } from "../../../domain/model/diagnostics.ts";
import { countCharacters } from "../../../domain/model/text.ts";
import { anyLongText, anyText } from "../../support/text_arbitraries.ts";

const clean = (sent: unknown) => Diagnostics.parse(sent);

Deno.test("numbers and booleans become text, and blank values are absent", () => {
  assertEquals(
    clean({ n: 1.5, zero: 0, yes: true, no: false, null: null, empty: "", blank: " \n", s: "x" }),
    { n: "1.5", zero: "0", yes: "true", no: "false", s: "x" },
  );
  for (const absent of [{}, { a: "" }, { a: null, b: " " }]) assertEquals(clean(absent), undefined);
});

Deno.test("a stack trace keeps its lines and tabs", () => {
  const trace = "java.lang.Error: x\r\n\tat a.B.c(B.java:1)\r\n\tat d";
  assertEquals(clean({ trace }), { trace: trace.replaceAll("\r\n", "\n") });
});

Deno.test("a key is one line, truncated to 64 characters", () => {
  assertEquals(clean({ " a\tb\n": 1 }), { "a b": "1" });
  assertEquals(clean({ ["k".repeat(64)]: 1 }), { ["k".repeat(64)]: "1" });
  assertEquals(clean({ ["😀".repeat(65)]: 1 }), { ["😀".repeat(63) + "…"]: "1" });
  assertEquals(clean({ "": 1, " ": 2 }), { "unnamed": "1", "unnamed (2)": "2" });
});

Deno.test("keys that cleaning makes equal keep their values", () => {
  assertEquals(clean({ " a": 1, "a": 2, "a\n": 3 }), { "a (2)": "1", "a": "2", "a (3)": "3" });
  assertEquals(clean({ "a (2)": 1, "a": 2, "a ": 3 }), { "a (2)": "1", "a": "2", "a (3)": "3" });
  const long = "k".repeat(70);
  assertEquals(clean({ [`${long}1`]: 1, [`${long}2`]: 2 }), {
    [`${"k".repeat(63)}…`]: "1",
    [`${"k".repeat(59)}… (2)`]: "2",
  });
  assertEquals(clean({ " __proto__": 1, "proto": 2 }), { "proto (2)": "1", "proto": "2" });
  const odd = { "constructor": "4", "toString": "5", "hasOwnProperty": "6" };
  assertEquals(clean(odd), odd);
});

Deno.test("a value is truncated to 4,000 characters", () => {
  assertEquals(clean({ a: "x".repeat(4_000) }), { a: "x".repeat(4_000) });
  assertEquals(clean({ a: "x".repeat(4_001) }), { a: "x".repeat(3_999) + "…" });
  assertEquals(clean({ a: "😀".repeat(4_001) }), { a: "😀".repeat(3_999) + "…" });
});

Deno.test("values of more than 10,000 characters together are truncated, longest first", () => {
  const lengths = (sent: Record<string, number>) =>
    Object.values(
      clean(Object.fromEntries(
        Object.entries(sent).map(([key, length]) => [key, "x".repeat(length)]),
      ))!,
    ).map(countCharacters);
  assertEquals(lengths({ a: 4_000, b: 4_000, c: 2_000 }), [4_000, 4_000, 2_000]);
  assertEquals(lengths({ a: 4_000, b: 4_000, c: 4_000 }), [3_333, 3_333, 3_333]);
  assertEquals(lengths({ a: 4_000, b: 100, c: 4_000, d: 4_000 }), [3_300, 100, 3_300, 3_300]);
  const twenty = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`k${i}`, 5_000]));
  assertEquals(lengths(twenty), Array(20).fill(500));
});

Deno.test("of more than 20 keys, the first 19 by name are stored and the others are listed", () => {
  const sent = Object.fromEntries(Array.from({ length: 25 }, (_, i) => [`k${34 - i}`, i]));
  const stored = clean(sent)!;
  const first = Array.from({ length: 19 }, (_, i) => `k${28 - i}`);
  assertEquals(Object.keys(stored), [...first, "not stored"]);
  assertEquals(stored["not stored"], "6 more: k29, k30, k31, k32, k33, k34");
  assertEquals(clean({ ...sent, a: "", b: null }), stored);
  const twenty = Object.fromEntries(Object.entries(sent).slice(0, 20));
  assertEquals(Object.keys(clean(twenty)!), Object.keys(twenty));
});

Deno.test("the list of keys that are not stored replaces no value", () => {
  const sent = Object.fromEntries(Array.from({ length: 25 }, (_, i) => [`x${i}`, i]));
  const stored = clean({ "not stored": "mine", "not stored ": "mine too", ...sent })!;
  assertEquals(stored["not stored"], "mine");
  assertEquals(stored["not stored (2)"], "mine too");
  assertEquals(stored["not stored (3)"]!.startsWith("8 more: x"), true);
  const many = Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`key ${i}`, "v"]));
  assertLessOrEqual(countCharacters(clean(many)!["not stored"]!), 600);
});

Deno.test("an error about an object or a list as a value contains its key", () => {
  const errors = Diagnostics.safeParse({ a: {}, b: [1], c: 1 }).error?.issues
    .map(({ path, message }) => `${path.join(".")} ${message}`);
  assertEquals(errors, ["a", "b"].map((key) => `${key} must be a string, a number or a boolean`));
});

const value = fc.oneof(
  anyLongText,
  anyText,
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
);
const key = fc.oneof(anyText, fc.constantFrom("a", " a", "a ", "a\n", "a (2)", "k".repeat(70)));
const entries = fc.uniqueArray(fc.tuple(key, value), { selector: ([key]) => key, maxLength: 30 })
  .map((entries) => entries.filter(([key]) => key !== "__proto__"));

Deno.test("diagnostics of any kind are stored clean and within their limits", () => {
  fc.assert(fc.property(entries, (entries) => {
    const cleaned = clean(Object.fromEntries(entries)) ?? {};
    const keys = Object.keys(cleaned);
    const values = Object.values(cleaned);
    assertLessOrEqual(keys.length, 20);
    for (const key of keys) assertLessOrEqual(countCharacters(key), 64);
    for (const value of values) assertLessOrEqual(countCharacters(value), 4_000);
    assertLessOrEqual(values.map(countCharacters).reduce((sum, length) => sum + length, 0), 10_000);
    assert(keys.every((key) => key.trim() === key && key !== "" && !/[\p{Cc}\p{Cs}]/u.test(key)));
    assert(values.every((value) => value.isWellFormed() && value.trim() !== ""));
    assertEquals(clean(cleaned) ?? {}, cleaned);
  }));
});

Deno.test("diagnostics do not depend on the order of their keys", () => {
  fc.assert(fc.property(entries, (entries) => {
    const sorted = (cleaned: Record<string, string> = {}) => Object.entries(cleaned).sort();
    const backwards = clean(Object.fromEntries(entries.toReversed()));
    assertEquals(sorted(backwards), sorted(clean(Object.fromEntries(entries))));
  }));
});
