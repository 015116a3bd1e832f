import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { FailureReason } from "../../../domain/model/failure.ts";
import { createTicket } from "../../../domain/handoff/create_ticket.ts";
import { toFinalHandoff } from "../../../domain/handoff/outcome.ts";
import { toTimestamp } from "../../../domain/model/handoff.ts";
import type { CreateTicketResult, FindTicketResult } from "../../../domain/ports/desk.ts";
import { ACTOR, createdAs, failedWith, foundAs, ScriptedDesk, ticket } from "../fixtures.ts";
import { ACME, START } from "../../support/constants.ts";

const REQUEST = {
  schema: 1,
  reference: "SR-01K9000000000000000000000A",
  context: ACME,
  summary: "Printer on fire",
  severity: "normal",
  createdAt: toTimestamp(START),
  createdBy: ACTOR,
  handoff: { status: "pending", since: toTimestamp(START) },
} as const;

const LOOKUPS: Record<string, FindTicketResult> = {
  found: foundAs("7"),
  absent: { outcome: "absent" },
  unclear: { outcome: "unclear" },
};

const CREATIONS: Record<string, CreateTicketResult> = {
  "created": createdAs("42"),
  "a failure without a ticket": failedWith({ reason: "desk_rejected", ticketMayExist: false }),
  "a timeout": failedWith({ reason: "desk_timeout", ticketMayExist: true }),
  "the desk's own error": failedWith({ reason: "desk_error", ticketMayExist: true }, true),
};

/** By creation and lookup: the number of the ticket, or whether one may exist. */
const EXPECTED: Record<string, Record<string, string | boolean>> = {
  "created": { found: "42", absent: "42", unclear: "42" },
  "a failure without a ticket": { found: false, absent: false, unclear: false },
  "a timeout": { found: "7", absent: true, unclear: true },
  "the desk's own error": { found: "7", absent: false, unclear: true },
};

for (const [result, creation] of Object.entries(CREATIONS)) {
  for (const [lookedUp, lookup] of Object.entries(LOOKUPS)) {
    for (const isTimeLeft of [true, false]) {
      const mayExist = creation.outcome === "failed" && creation.failure.ticketMayExist;
      const needsLookup = mayExist && isTimeLeft;
      // Without a lookup, the failure of the creation is returned unchanged.
      const expected = isTimeLeft || creation.outcome === "created"
        ? EXPECTED[result]![lookedUp]
        : creation.failure.ticketMayExist;
      const time = isTimeLeft ? "time left" : "no time left";

      Deno.test(`createTicket returns ${expected} after ${result}, ${time}, lookup ${lookedUp}`, async () => {
        const desk = new ScriptedDesk(creation, lookup);
        const timeout = new AbortController();
        const signals: AbortSignal[] = [];
        desk.onCreate = (_, signal) => {
          signals.push(signal);
          if (!isTimeLeft) timeout.abort();
          return creation;
        };
        desk.onFind = (_, signal) => {
          signals.push(signal);
          return lookup;
        };
        const outcome = await createTicket(desk, REQUEST, timeout.signal);
        assertEquals(desk.calls, needsLookup ? ["create", "find"] : ["create"]);
        for (const signal of signals) assertStrictEquals(signal, timeout.signal);
        if (typeof expected === "string") {
          assert(outcome.outcome === "created");
          assertEquals(outcome.ticket, ticket(expected));
        } else {
          assert(outcome.outcome === "failed" && creation.outcome === "failed");
          assertEquals(outcome.failure.ticketMayExist, expected);
          assertEquals(outcome.failure.reason, creation.failure.reason);
        }
      });
    }
  }
}

Deno.test("toFinalHandoff describes a failure with the desk's label", () => {
  const desk = new ScriptedDesk();
  for (const reason of FailureReason.options) {
    const failure = { reason, ticketMayExist: true };
    const handoff = toFinalHandoff({ outcome: "failed", failure }, REQUEST, desk.label, START);
    assert(handoff.status === "failed");
    assertEquals(handoff.at, toTimestamp(START));
    assertEquals(handoff.reason, reason);
    assertEquals(handoff.ticketMayExist, true);
    const namesDesk = !["desk_not_configured", "interrupted"].includes(reason);
    assertEquals(handoff.summary.includes(desk.label), namesDesk, handoff.summary);
  }
});
