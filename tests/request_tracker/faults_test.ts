// deno-lint-ignore-file no-console -- the table is part of the tests' output
/**
 * What Deskhand reports if a real Request Tracker or a proxy in front of it fails, and whether that
 * is true of the tickets that exist, during the fault and after it.
 */
import { assert, assertEquals } from "@std/assert";
import { createRequestTracker } from "../../desk/request_tracker.ts";
import type { SupportRequest } from "../../routes/v1/responses.ts";
import { supportRequest } from "../support/records.ts";
import { FakeClock } from "../support/clock.ts";
import { deskEnv } from "../support/constants.ts";
import { openService } from "../support/service.ts";
import { DESK_FAULTS, LAST_FAULTS } from "./faults/desk_faults.ts";
import { LONG_MS, MAY_EXIST, NO_TICKET, type Row } from "./faults/fault.ts";
import { NETWORK_FAULTS } from "./faults/network_faults.ts";
import { PROXY_FAULTS } from "./faults/proxy_faults.ts";
import { type RequestTracker, startRequestTracker } from "./instance.ts";

type Handoff = SupportRequest["handoff"];

/** Every fault, in an order that leaves the desk working until the last ones. */
const FAULTS = [...DESK_FAULTS, ...NETWORK_FAULTS, ...PROXY_FAULTS, ...LAST_FAULTS];

/** After this time, a pending handoff counts as interrupted. */
const LATER_MS = 20_000;

/** Describes a handoff as a row does. */
function describe(handoff: Handoff): string {
  if (handoff.status !== "failed") return handoff.status;
  return `${handoff.reason}, ${handoff.ticketMayExist ? MAY_EXIST : NO_TICKET}`;
}

/** Whether a handoff is true of the tickets with its reference. */
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

/** Submits during a fault, reads the desk, ends the fault, reads the desk again and retries. */
async function submitDuring({ begin }: Row, desk: RequestTracker) {
  const { env, timeoutMs = LONG_MS, during, lift, isFinal } = await begin(desk);
  const clock = new FakeClock({ now: "real" });
  await using service = await openService({
    clock,
    env: {
      ...deskEnv(desk),
      SUPPORT_DESK_TIMEOUT_MS: String(timeoutMs),
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
  let ticketsThen: string[];
  try {
    [submitted] = await Promise.all([submit(), during?.()]);
    ticketsThen = desk.tickets(submitted.reference);
  } finally {
    await lift?.();
  }
  await desk.idle();
  const { reference, createdAt, handoff } = submitted;
  const ticketsLater = desk.tickets(reference);
  const { url, token, queue, referenceField } = desk;
  const lookup = await createRequestTracker(
    { url, token, queue, referenceField, label: "the desk" },
    fetch,
  ).findTicket({ ...supportRequest(), reference, createdAt }, AbortSignal.timeout(LONG_MS));
  const found = lookup.outcome === "found" ? lookup.ticket.reference : lookup.outcome;

  clock.offset = LATER_MS;
  const retry = await submit();
  await desk.idle();
  const ticketsLast = desk.tickets(reference);

  const agrees = isTrue(handoff, ticketsLater) &&
    (handoff.status !== "created" || isTrue(handoff, ticketsThen)) &&
    isTrue(retry.handoff, ticketsLast) &&
    found === (isFinal ? "unclear" : ticketsLater[0] ?? "absent");
  return { handoff, ticketsThen, ticketsLater, found, retry: retry.handoff, ticketsLast, agrees };
}

Deno.test("what Deskhand reports about a ticket is true, whatever fails", async (t) => {
  await using desk = await startRequestTracker();
  const table: string[] = [];
  for (const row of FAULTS) {
    await t.step(`${row.fault}: ${row.reports}`, async () => {
      const result = await submitDuring(row, desk);
      const { handoff, ticketsThen, ticketsLater, found, retry, agrees } = result;
      const cells = [
        row.fault,
        describe(handoff),
        ticketsThen.length,
        ticketsLater.length,
        /^\d/.test(found) ? "found" : found,
        describe(retry),
        agrees ? "yes" : "**NO**",
      ];
      table.push(`| ${cells.join(" | ")} |`);
      assertEquals(describe(handoff), row.reports);
      assert(agrees, JSON.stringify(result));
    });
  }
  console.log(
    "| fault | response | tickets then | tickets later | lookup later | retry | true |\n" +
      `| --- | --- | --- | --- | --- | --- | --- |\n${table.join("\n")}`,
  );
});
