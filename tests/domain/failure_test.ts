import { assert, assertStringIncludes } from "@std/assert";
import { FailureReason, failureSummary, MAX_LABEL_LENGTH } from "../../domain/failure.ts";
import { mintReference } from "../../domain/reference.ts";

const label = "D".repeat(MAX_LABEL_LENGTH);
const reference = mintReference(Date.now());

for (const reason of FailureReason.options) {
  for (const ticketMayExist of [true, false]) {
    Deno.test(`failureSummary fits ${reason}, ${ticketMayExist ? "maybe" : "no"} ticket, in 200 characters`, () => {
      const summary = failureSummary({ reason, ticketMayExist }, label, reference);
      assert(summary.length <= 200, `${summary.length}: ${summary}`);
      assertStringIncludes(summary, reference);
    });
  }
}

Deno.test("failureSummary says to look at the desk before asking again where a ticket may exist", () => {
  const summary = failureSummary(
    { reason: "desk_timeout", ticketMayExist: true },
    label,
    reference,
  );
  assertStringIncludes(summary, `Look for ${reference} at the desk before asking again`);
  assertStringIncludes(summary, "link it");
});
