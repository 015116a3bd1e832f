import { assertEquals } from "@std/assert";
import { integer, oneOf, text } from "../../config/variable.ts";

Deno.test("a variable reports every rule that its text breaks", () => {
  const name = text().matching(/^[a-z]*$/, "must be lower case").maxLength(3);
  assertEquals(name.safeParse("abc"), { success: true, data: "abc" });
  assertEquals(name.safeParse("ABCD"), {
    success: false,
    rules: ["must be lower case", "must be at most 3 characters"],
  });
});

Deno.test("a variable that breaks a rule is not converted", () => {
  const size = text().matching(/^\d+$/, "must be a number").transform(BigInt);
  assertEquals(size.safeParse("12"), { success: true, data: 12n });
  assertEquals(size.safeParse("x"), { success: false, rules: ["must be a number"] });
});

Deno.test("an unset variable has its default, is absent, or must be set", () => {
  assertEquals(integer(1, 9).default(5).safeParse(undefined), { success: true, data: 5 });
  assertEquals(integer(1, 9).optional().safeParse(undefined), { success: true, data: undefined });
  assertEquals(integer(1, 9).safeParse(undefined), { success: false, rules: ["must be set"] });
  assertEquals(integer(1, 9).default(5).safeParse("10").success, false);
});

Deno.test("a variable of words accepts only these", () => {
  const level = oneOf(["low", "high"], "must be low or high");
  assertEquals(level.safeParse("high"), { success: true, data: "high" });
  for (const other of ["High", "", "toString"]) {
    assertEquals(level.safeParse(other), { success: false, rules: ["must be low or high"] });
  }
});
