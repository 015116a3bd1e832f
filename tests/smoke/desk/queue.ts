/**
 * Checks the queue, the right to create tickets, and the custom field, without creating a ticket.
 */
import { failed, type Finding, ok, type Smoke } from "../finding.ts";
import { quote } from "../token.ts";
import { callDesk } from "./call.ts";
import { QueueResponse, QueuesResponse } from "./responses.ts";
import { type DeskSettings, SETUP_SCRIPT } from "./settings.ts";

const MAX_NAMES = 5;

export async function findsQueue(smoke: Smoke): Promise<Finding> {
  const desk = smoke.desk!;
  const result = await callDesk(desk, `queue/${encodeURIComponent(desk.queue)}`);
  if (result.outcome === "no_response") return failed(result.problem);
  const { status, json } = result.response;
  const where = `SUPPORT_DESK_QUEUE is ${quote(desk.queue)}`;
  const queue = QueueResponse.safeParse(json).data;
  if (status !== 200 || queue === undefined) {
    return failed(
      `Queue: it does not exist, or Deskhand's user may not see it (${status}; ${where})` +
        await describeVisibleQueues(desk),
      "Correct SUPPORT_DESK_QUEUE and restart Deskhand, or grant the user SeeQueue and " +
        "CreateTicket on the queue",
    );
  }
  if (queue.Disabled === "1") {
    return failed(`Queue: it is disabled (${where})`, "Enable it at RT, or use another one");
  }
  smoke.queue = queue;
  return ok(quote(desk.queue));
}

async function describeVisibleQueues(desk: DeskSettings): Promise<string> {
  const result = await callDesk(desk, "queues/all?fields=Name");
  const names = result.outcome === "response"
    ? QueuesResponse.safeParse(result.response.json).data?.items.map(({ Name }) => quote(Name))
    : undefined;
  if (names === undefined) return "";
  if (names.length === 0) return ". The user sees no queue at all";
  const more = names.length > MAX_NAMES ? " and others" : "";
  return `. The user sees ${names.slice(0, MAX_NAMES).join(", ")}${more}`;
}

export function mayCreateTickets(smoke: Smoke): Finding {
  const links = smoke.queue!._hyperlinks;
  return links.some(({ ref, type }) => ref === "create" && type === "ticket") ? ok() : failed(
    `Right: Deskhand's user may not create tickets in the queue ${quote(smoke.desk!.queue)}`,
    `Grant the user CreateTicket on the queue, as ${SETUP_SCRIPT} does`,
  );
}

/** RT accepts tickets with a field that it does not know, and drops the field. */
export function findsField(smoke: Smoke): Finding {
  const { queue, referenceField } = smoke.desk!;
  const names = smoke.queue!.TicketCustomFields.map(({ name }) => name);
  if (names.includes(referenceField)) return ok(quote(referenceField));
  const where = `SUPPORT_DESK_REFERENCE_FIELD is ${quote(referenceField)}`;
  const other = names.find((name) => name.toLowerCase() === referenceField.toLowerCase());
  if (other !== undefined) {
    return failed(
      `Field: its name at RT is ${quote(other)} (${where})`,
      `Set SUPPORT_DESK_REFERENCE_FIELD to ${quote(other)} and restart Deskhand`,
    );
  }
  return failed(
    `Field: RT will drop the reference, because the queue ${quote(queue)} has no such ticket ` +
      `custom field, or Deskhand's user may not see it (${where})`,
    "Create a ticket custom field of exactly this name for one free-form value, apply it to the " +
      `queue, and grant the user SeeCustomField and ModifyCustomField there, as ${SETUP_SCRIPT} does`,
  );
}
