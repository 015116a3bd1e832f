import { assertEquals, assertStringIncludes } from "@std/assert";
import { alternate, judge, type Measure } from "./measure.ts";
import { losses, type Recorded, toRecorded, verdict } from "./recorded.ts";
import { at, median } from "./statistics.ts";

const MACHINE = {
  cores: 2,
  processor: "a processor",
  system: "Linux",
  deno: "2.9.6",
  fsyncMs: 0.15,
  isRamDisk: false,
};

function measure(name: string, unit: Measure["unit"], ratio: number): Measure {
  return { name, unit, floor: [100, 200, 100], deskhand: [100 * ratio, 0, 300 * ratio] };
}

function record(...measures: Measure[]): Recorded {
  const run = { at: "2026-11-26T00:00:00.000Z", machine: MACHINE, rounds: 5, seconds: 3 };
  return toRecorded(run, measures);
}

Deno.test("a measure has the medians of both sides, and the median ratios of its rounds", () => {
  const measured = { floor: [2, 1, 4], deskhand: [3, 9, 2] };
  const judged = { floor: 2, deskhand: 3, ratio: 1.5, lowest: 0.5, highest: 9 };
  assertEquals(judge(measured), judged);
  assertEquals(judge({ ...measured, duties: [4, 4, 4] }), { ...judged, duties: 2 });
});

Deno.test("servers are measured in turn, in both orders, without the first round", async () => {
  const calls: string[] = [];
  const side = (name: string) => () => Promise.resolve(calls.push(name));
  const rounds = await alternate(2, { floor: side("floor"), deskhand: side("service") });
  assertEquals(calls, ["floor", "service", "service", "floor", "floor", "service"]);
  assertEquals(rounds, { floor: [4, 5], deskhand: [3, 6] });
});

const COMPARED: [
  what: string,
  unit: Measure["unit"],
  recorded: number,
  now: number,
  falls: boolean,
][] = [
  ["a rate that fell by 29 %", "/s", 1, 0.71, false],
  ["a rate that fell by 31 %", "/s", 1, 0.69, true],
  ["a rate that rose", "/s", 1, 2, false],
  ["a duration of 1.4 times the recorded one", "ms", 1, 1.4, false],
  ["a duration of 1.5 times the recorded one", "ms", 1, 1.5, true],
  ["a duration that fell", "ms", 1, 0.5, false],
];
for (const [what, unit, before, now, falls] of COMPARED) {
  Deno.test(`a check ${falls ? "reports" : "accepts"} ${what}`, () => {
    const recorded = record(measure("a figure", unit, before));
    const lost = losses([measure("a figure", unit, now)], recorded);
    assertEquals(lost.length, falls ? 1 : 0);
  });
}

Deno.test("a check accepts a figure that is not recorded, and names the worst ratio first", () => {
  const recorded = record(measure("a", "/s", 2), measure("b", "/s", 2));
  const lost = losses(
    [measure("a", "/s", 1), measure("b", "/s", 0.5), measure("c", "/s", 0)],
    recorded,
  );
  assertEquals(lost.length, 2);
  const text = verdict(lost, recorded);
  assertStringIncludes(
    text,
    "b: 0.50 instead of 2.00, 75 % slower\n  a: 1.00 instead of 2.00, 50 %",
  );
  assertStringIncludes(text, "2026-11-26 on 2 cores (a processor), fsync 0.15 ms");
});

Deno.test("a median is the middle value, and a percentile has its share of values below it", () => {
  assertEquals([median([7]), median([4, 1]), median([9, 1, 2])], [7, 2.5, 2]);
  const hundred = Array.from({ length: 100 }, (_, i) => i);
  assertEquals([at(hundred, 0.5), at(hundred, 0.99), at(hundred, 1)], [50, 99, 99]);
});
