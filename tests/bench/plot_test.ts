import { assertEquals, assertStringIncludes } from "@std/assert";
import { judge, type Measure } from "./figure.ts";
import { plot } from "./plot.ts";

function measured(unit: string, floor: number[], deskhand: number[]) {
  const measure: Measure = { what: "calls", unit, floor, deskhand, goals: [] };
  return { ...measure, judged: judge(measure) };
}

Deno.test("the plot has one bar per rate, with its ratio, and none for a duration", () => {
  const results = [
    { name: "submissions", measures: [measured("/s", [100, 100, 100], [250, 200, 300])] },
    { name: "latest", measures: [measured("/s", [10], [10]), measured("ms", [1], [2])] },
  ];
  const svg = plot(results, "Throughput");
  assertEquals(svg.match(/<rect /g)?.length, 2);
  assertStringIncludes(svg, ">submissions</text>");
  assertStringIncludes(svg, ">2.5 ×</text>");
  assertStringIncludes(svg, ">1.0 ×</text>");
  assertStringIncludes(svg, "prefers-color-scheme: dark");
});
