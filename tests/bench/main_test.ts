import { assert, assertEquals, assertGreaterOrEqual, assertMatch } from "@std/assert";
import { command, complete } from "../support/process.ts";
import { FIGURES } from "./figures.ts";
import recorded from "./recorded.json" with { type: "json" };

function bench(...flags: string[]) {
  const args = ["run", "-A", "tests/bench/main.ts", ...flags];
  return complete(command({ command: [Deno.execPath(), ...args] }));
}

Deno.test("a run measures the floor and the service in every figure", async () => {
  const { code, stdout, stderr } = await bench("--rounds", "1", "--seconds", "0.1");
  assertEquals(code, 0, stderr);
  const measured = [...stdout.matchAll(/^\| ([^|]+?) +\| .*(?:ms|\/s) +\| \d+\.\d\d +\|/gm)];
  const names = new Set(measured.map(([, name]) => name));
  for (const name of Object.keys(recorded.measures)) assert(names.has(name), name);
  assertGreaterOrEqual(names.size, FIGURES.length);
});

Deno.test("a run with --records measures a larger file beside one with 1,000 requests", async () => {
  const figures = ["loads", "audit-events", "expired-start", "erase"];
  const flags = ["--records", "2000", "--rounds", "1", "--seconds", "0.1", ...figures];
  const { code, stdout, stderr } = await bench(...flags);
  assertEquals(code, 0, stderr);
  assertMatch(stdout, /\| pages of 100 audit events +\| \d+ pages +\| \d+ pages +\|/);
  assertMatch(stdout, /\| file, for each request +\| 2,\d{3} bytes +\| 2,\d{3} bytes +\|/);
  for (
    const measure of ["latest of", "submissions in", "first submission after", "deno task erase"]
  ) {
    assertMatch(stdout, new RegExp(`^\\| ${measure}.*\\| \\d+\\.\\d\\d +\\|`, "m"));
  }
});

const REJECTED: [flags: string[], why: RegExp][] = [
  [["latest", "no-such-figure"], /no figure 'no-such-figure'/],
  [["--rounds", "0"], /--rounds must be a number from 1 to 1000/],
  [["--check", "--rounds", "4"], /at least 5 rounds/],
  [["--record", FIGURES[0]!.name], /--record needs all figures/],
];
for (const [flags, why] of REJECTED) {
  Deno.test(`deno task bench ${flags.join(" ")} says what to change`, async () => {
    const { code, stderr } = await bench(...flags);
    assertEquals(code, 1);
    assertMatch(stderr, why);
  });
}
