// deno-lint-ignore-file no-console -- prints the report of a task
/** Prints the results for an operator. */
import type { CheckResult, SmokeOptions } from "./checks.ts";

const INDENT = " ".repeat(19);

/** Prints what the test works on. */
export function printStart({ url, setting, tenantId, runId }: SmokeOptions["target"]): void {
  console.log(
    `Smoke test of Deskhand at ${url} (${setting}), tenant ${tenantId}, run ${runId}\n`,
  );
}

/** Prints one line for a check, and below it what is wrong and what to do next. */
export function printResult(result: CheckResult): void {
  if (result.outcome === "not_run") return;
  const word = result.outcome === "failed" ? "FAILED" : result.outcome;
  const note = result.outcome === "ok" && result.note ? `: ${result.note}` : "";
  console.log(`${word.padEnd(8)}${String(result.ms).padStart(6)} ms  ${result.title}${note}`);
  if (result.outcome === "skipped") console.log(`${INDENT}${result.note}`);
  if (result.outcome !== "failed") return;
  console.log(`${INDENT}${result.cause}\n${INDENT}Next: ${result.next}`);
}

/** Prints how many checks passed and failed, and how to find the test in Deskhand's log. */
export function printEnd(results: CheckResult[], { runId }: SmokeOptions["target"]): void {
  const count = (outcome: CheckResult["outcome"]) =>
    results.filter((result) => result.outcome === outcome).length;
  const counts = [`${count("ok")} ok`, `${count("failed")} failed`];
  if (count("skipped") > 0) counts.push(`${count("skipped")} skipped`);
  if (count("not_run") > 0) counts.push(`${count("not_run")} not run because of a failure`);
  console.log(`\n${counts.join(", ")}`);
  if (count("failed") > 0 && results[0]?.outcome === "ok") {
    console.log(`In Deskhand's log, the requestId of these calls starts with ${runId}`);
  }
}
