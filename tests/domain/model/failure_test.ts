import { assert, assertMatch, assertNotMatch, assertStringIncludes } from "@std/assert";
import { MAX_LABEL_LENGTH } from "../../../config/environment.ts";
import { FailureReason, failureSummary } from "../../../domain/model/failure.ts";
import { generateReference } from "../../../domain/model/reference.ts";

const label = "D".repeat(MAX_LABEL_LENGTH);
const reference = generateReference(Date.now());

/** Terms for operators: they belong in the log only. */
const OPERATORS_TERMS =
  /credential|queue|hand(ed|ing)? ?off|token|timeout|circuit|process|config|finali|40[13]|_/i;

for (const reason of FailureReason.options) {
  for (const ticketMayExist of [true, false]) {
    const name = `${reason}, ${ticketMayExist ? "maybe a" : "no"} ticket`;

    Deno.test(`failureSummary fits ${name}, in 200 characters of plain words`, () => {
      const summary = failureSummary({ reason, ticketMayExist }, label, reference);
      assert(summary.length <= 200, `${summary.length}: ${summary}`);
      assertStringIncludes(summary, `Your request is saved as ${reference}.`);
      assertNotMatch(summary.replace(reference, ""), OPERATORS_TERMS);
      assertMatch(summary, /^[A-Z].*[a-z]\.$/);
    });
  }

  Deno.test(`failureSummary says whether a ticket may exist after ${reason}, and what to do`, () => {
    const maybe = failureSummary({ reason, ticketMayExist: true }, label, reference);
    assertStringIncludes(maybe, "a ticket may exist");
    const next = reason === "interrupted"
      ? "Check it again, or give support that reference."
      : "Look for it at the desk, then link it or send it again.";
    assertStringIncludes(maybe, next);
    const none = failureSummary({ reason, ticketMayExist: false }, label, reference);
    assertStringIncludes(none, "no ticket was created");
    assertMatch(none, /(Try again|Check it again|Contact support)/);
  });
}
