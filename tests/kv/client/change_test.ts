import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import * as fc from "fast-check";
import { serialize } from "node:v8";
import { estimateSize, findOwnVersionstamp } from "../../../kv/client/change.ts";

const value = fc.dictionary(
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    fc.boolean(),
    fc.array(fc.string({ unit: "binary" })),
    fc.dictionary(fc.string(), fc.string({ unit: "binary" })),
  ),
);

Deno.test("estimateSize never underestimates a change", () => {
  fc.assert(fc.property(fc.array(value, { minLength: 1 }), (values) => {
    const sets = values.map((value, i) => ({ key: ["€".repeat(i), i], value }));
    const size = estimateSize({ checks: [], sets });
    const valueBytes = values.reduce((sum, value) => sum + serialize(value).length, 0);
    const keyBytes = sets.reduce((sum, _, i) => sum + 3 * i + 2 + 9, 0);
    assertLessOrEqual(valueBytes + keyBytes, size.bytes);
    assertLessOrEqual(keyBytes, size.keyBytes);
    assertEquals(size.mutations, sets.length);
  }));
});

Deno.test("estimateSize detects a change beyond KV's limits for one entry", () => {
  const change = (text: string, name = "k") => ({
    checks: [],
    sets: [{ key: [name], value: text }],
  });
  assert(estimateSize(change("x".repeat(8_000))).isWithinLimits);
  assert(!estimateSize(change("x".repeat(70_000))).isWithinLimits);
  assert(!estimateSize(change("x", "€".repeat(700))).isWithinLimits);
});

Deno.test("findOwnVersionstamp recognizes a change only if one commit wrote all of it", () => {
  const [a, b] = [["record", "a"], ["record", "b"]];
  const change = {
    checks: [{ key: a, versionstamp: null }, { key: b, versionstamp: null }],
    sets: [{ key: a, value: { count: 1 } }, { key: b, value: "b" }],
  };
  const at = (key: string[], value: unknown, versionstamp: string) => ({
    key,
    value,
    versionstamp,
  });
  const none = { key: b, value: null, versionstamp: null };
  const first = at(a, { count: 1 }, "01");
  assertEquals(findOwnVersionstamp(change, [first, at(b, "b", "01")]), "01");
  for (const other of [at(b, "b", "02"), at(b, "c", "01"), none]) {
    assertEquals(findOwnVersionstamp(change, [first, other]), null);
  }
});
