import { assertEquals } from "@std/assert";
import { report } from "../../../kv/erase/report.ts";
import { newTally } from "../../../kv/erase/tally.ts";

Deno.test("an erasure lists tickets by number and references by age", () => {
  const tally = newTally();
  for (const number of ["100", "9", "12345678901234567891", "12345678901234567890", "20"]) {
    tally.tickets.add(number);
  }
  const older = "SR-01M857JJM2SCJ21CGTHC4N37D3";
  const newer = "SR-01M8B14YVQC6BS906JAAK12WY1";
  tally.doubtful.add(newer).add(older);
  const lines: string[] = [];
  report({ kind: "tenant", tenantId: "acme" }, tally, true, (line) => lines.push(line));
  assertEquals(lines.filter((line) => line.includes(":")).slice(1), [
    "Tickets at the desk, which are not deleted: " +
    "9, 20, 100, 12345678901234567890, 12345678901234567891",
    `Search the desk for tickets with these references: ${older}, ${newer}`,
  ]);
});
