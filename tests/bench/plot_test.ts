import { assertEquals, assertStringIncludes } from "@std/assert";
import { plot } from "./plot.ts";
import recorded from "./recorded.json" with { type: "json" };
import type { Recorded } from "./recorded.ts";
import { withRecord } from "./report.ts";

const README = new URL("../../README.md", import.meta.url);
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
  assertStringIncludes(svg, ">250/s, 2.5 ×</text>");
  assertStringIncludes(svg, ">250/s, 1.0 ×</text>");
  assertStringIncludes(svg, "prefers-color-scheme: dark");
});

Deno.test("the plot has a pale bar where a server with equal duties was measured", () => {
  const judged = { unit: "/s", floor: 100, deskhand: 250, ratio: 2.5, lowest: 2, highest: 3 };
  const svg = plot({ measures: { submissions: { ...judged, duties: 4 }, latest: judged } });
  const bars = [...svg.matchAll(/<rect .*width="(\d+)".*?( class="pale")?\/>/g)];
  assertEquals(bars.map(([, width, pale]) => [Number(width), pale !== undefined]), [
    [400, true],
    [250, false],
    [250, false],
  ]);
});

Deno.test("README.md has the table and the picture of the recorded run", async () => {
  const readme = await Deno.readTextFile(README);
  assertEquals(withRecord(readme, recorded as Recorded), readme);
  assertEquals(await Deno.readTextFile(PICTURE), plot(recorded as Recorded));
});
