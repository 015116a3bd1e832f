import { assertEquals, assertStringIncludes } from "@std/assert";
import { plot } from "./plot.ts";
import recorded from "./recorded.json" with { type: "json" };
import type { Recorded } from "./recorded.ts";

const PICTURE = new URL("../../.github/images/throughput.svg", import.meta.url);

Deno.test("the plot has one bar per rate, with its ratio, and none for a duration", () => {
  const judged = { floor: 100, deskhand: 250, ratio: 2.5, lowest: 2, highest: 3 };
  const svg = plot({
    measures: {
      submissions: { unit: "/s", ...judged },
      latest: { unit: "/s", ...judged, ratio: 1 },
      "one at a time": { unit: "ms", ...judged },
    },
  });
  assertEquals(svg.match(/<rect /g)?.length, 2);
  assertStringIncludes(svg, ">submissions</text>");
  assertStringIncludes(svg, ">2.5 ×</text>");
  assertStringIncludes(svg, ">1.0 ×</text>");
  assertStringIncludes(svg, "prefers-color-scheme: dark");
});

Deno.test("the picture of README.md shows the recorded ratios", async () => {
  assertEquals(await Deno.readTextFile(PICTURE), plot(recorded as Recorded));
});
