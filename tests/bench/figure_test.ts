import { assertEquals } from "@std/assert";
import { type Goal, judge } from "./figure.ts";
import { at, median } from "./statistics.ts";

const MEASURE = { what: "a figure", unit: "ms", floor: [2, 1, 4], deskhand: [3, 9, 2] };

const JUDGED: [goal: Goal, actual: number, isMet: boolean][] = [
  [{ subject: "ratio", bound: "at most", value: 1.5 }, 1.5, true],
  [{ subject: "ratio", bound: "at least", value: 1.6 }, 1.5, false],
  [{ subject: "difference", bound: "at most", value: 0.9 }, 1, false],
  [{ subject: "deskhand", bound: "at most", value: 3 }, 3, true],
  [{ subject: "worst", bound: "at most", value: 8 }, 9, false],
];
for (const [goal, actual, isMet] of JUDGED) {
  Deno.test(`a goal of ${goal.bound} ${goal.value} is compared with the ${goal.subject}`, () => {
    const { verdicts } = judge({ ...MEASURE, goals: [goal] });
    assertEquals(verdicts, [{ ...goal, actual, isMet }]);
  });
}

Deno.test("a figure has the medians of both sides and the ratio of each round", () => {
  const { floor, deskhand, ratio, ratios } = judge({ ...MEASURE, goals: [] });
  assertEquals([floor, deskhand, ratio, ratios], [2, 3, 1.5, [1.5, 9, 0.5]]);
});

Deno.test("a median is the middle value, and a percentile has its share of values below it", () => {
  assertEquals([median([7]), median([4, 1]), median([9, 1, 2])], [7, 2.5, 2]);
  const hundred = Array.from({ length: 100 }, (_, i) => i);
  assertEquals([at(hundred, 0.5), at(hundred, 0.99), at(hundred, 1)], [50, 99, 99]);
});
