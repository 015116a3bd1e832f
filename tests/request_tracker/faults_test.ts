// deno-lint-ignore-file no-console -- the table is for whoever reads the tests' output
/**
 * What Deskhand says when a real Request Tracker, or what stands before it, fails; and whether that
 * is true of the tickets which are there, then and once the fault is over.
 */
import { assert, assertEquals } from "@std/assert";
import { createRequestTracker } from "../../desk/request_tracker.ts";
import type { SupportRequest } from "../../routes/v1/responses.ts";
import { FakeClock } from "../support/clock.ts";
import { deskEnv } from "../support/constants.ts";
import { openService } from "../support/service.ts";
import { supportRequest } from "../support/records.ts";
import { FAULTS, LONG_MS, MAY_EXIST, NO_TICKET, type Row } from "./faults.ts";
import { type RequestTracker, startRequestTracker } from "./instance.ts";

type Handoff = SupportRequest["handoff"];

/** After so long a handoff that is pending must have been interrupted. */
const LATER_MS = 20_000;

/** A handoff in the words of a row. */
function said(handoff: Handoff): string {
  if (handoff.status !== "failed") return handoff.status;
  return `${handoff.reason}, ${handoff.ticketMayExist ? MAY_EXIST : NO_TICKET}`;
}

/** Whether what was said about a request is true of the tickets that carry its reference. */
function isTrue(handoff: Handoff, tickets: string[]): boolean {
  switch (handoff.status) {
    case "created":
      return tickets.length === 1 && tickets[0] === handoff.ticket.reference;
    case "failed":
      return tickets.length <= (handoff.ticketMayExist ? 1 : 0);
    default:
      return false;
  }
}

/** Meets one fault: submits, looks at the desk, ends the fault, looks again and asks again. */
async function meet({ begin }: Row, desk: RequestTracker) {
  const { env, budget = LONG_MS, during, lift, isFinal } = await begin(desk);
  const clock = new FakeClock({ now: "real" });
  await using service = await openService({
    clock,
    env: {
      ...deskEnv(desk),
      SUPPORT_DESK_TIMEOUT_MS: String(budget),
      ...env,
    },
  });
  const submit = async (): Promise<SupportRequest> => {
    const response = await service.call("/v1/tenants/acme/support-requests", {
      headers: { "Idempotency-Key": "the-only-one" },
      json: { summary: "Anybody there?", handoff: { mode: "create" } },
    });
    assertEquals(response.status, 201);
    return await response.json();
  };

  let submitted: SupportRequest;
  let then: string[];
  try {
    [submitted] = await Promise.all([submit(), during?.()]);
    then = desk.tickets(submitted.reference);
  } finally {
    await lift?.();
  }
  await desk.idle();
  const { reference, createdAt, handoff } = submitted;
  const later = desk.tickets(reference);
  const { url, token, queue, referenceField } = desk;
  const lookup = await createRequestTracker(
    { url, token, queue, referenceField, label: "the desk" },
    fetch,
  ).findTicket({ ...supportRequest(), reference, createdAt }, AbortSignal.timeout(LONG_MS));
  const found = lookup.outcome === "found" ? lookup.ticket.reference : lookup.outcome;

  clock.offset = LATER_MS;
  const again = await submit();
  await desk.idle();
  const atLast = desk.tickets(reference);

  const agrees = isTrue(handoff, later) &&
    (handoff.status !== "created" || isTrue(handoff, then)) &&
    isTrue(again.handoff, atLast) && found === (isFinal ? "unclear" : later[0] ?? "absent");
  return { handoff, then, later, found, again: again.handoff, atLast, agrees };
}

Deno.test("what is said about a ticket is true of the desk, whatever fails", async (t) => {
  await using desk = await startRequestTracker();
  const table: string[] = [];
  for (const row of FAULTS) {
    await t.step(`${row.fault}: ${row.says}`, async () => {
      const met = await meet(row, desk);
      const { handoff, then, later, found, again, agrees } = met;
      const cells = [
        row.fault,
        said(handoff),
        then.length,
        later.length,
        /^\d/.test(found) ? "found" : found,
        said(again),
        agrees ? "yes" : "**NO**",
      ];
      table.push(`| ${cells.join(" | ")} |`);
      assertEquals(said(handoff), row.says);
      assert(agrees, JSON.stringify(met));
    });
  }
  console.log(
    "| fault | answer | tickets then | tickets after | lookup after | asked again | agree |\n" +
      `| --- | --- | --- | --- | --- | --- | --- |\n${table.join("\n")}`,
  );
});
