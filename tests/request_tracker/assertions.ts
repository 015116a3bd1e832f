import { assert, assertEquals } from "@std/assert";
import type { SupportRequest } from "../../routes/v1/responses.ts";
import type { Answer } from "../support/service_process.ts";
import type { RequestTracker } from "./instance.ts";
import type { Ticket } from "./tickets.ts";

/** Asserts that a submission has exactly one ticket, and returns it as the desk stores it. */
export function assertTicket(
  { status, body }: Answer<SupportRequest>,
  desk: RequestTracker,
): Ticket & { url: string } {
  assertEquals(status, 201, JSON.stringify(body));
  assert(body.handoff.status === "created", JSON.stringify(body));
  const { ticket } = body.handoff;
  assertEquals(desk.tickets(body.reference), [ticket.reference]);
  return { ...desk.ticket(ticket.reference), url: ticket.url };
}
