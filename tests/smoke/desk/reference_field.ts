import * as z from "zod";
import { CustomFields } from "../../../desk/responses.ts";
import { toTicket } from "../../../desk/link.ts";
import { failed, type Finding, ok, type Problem, skipped, type Smoke } from "../finding.ts";
import { quote } from "../token.ts";
import { callDesk, type DeskCallResult } from "./call.ts";
import { SETUP_SCRIPT } from "./settings.ts";

const TicketResponse = z.object({ CustomFields: CustomFields.catch([]) });

const SearchResponse = z.object({ items: z.array(z.object({ id: z.coerce.string() })) });

/**
 * Checks that the ticket has the reference in the custom field, and is found by it. RT responds 201
 * and silently drops a field that it does not know, so that only reading the ticket shows it. The
 * desk's token is sent to no other URL than that in the settings of this machine.
 */
export async function hasReference({ desk, handedOff }: Smoke): Promise<Finding> {
  if (handedOff === undefined) throw new Error("There is no ticket");
  const { reference, ticket } = handedOff;
  if (desk === null) {
    return skipped(`Check it yourself: the ticket's custom field must have ${reference}`);
  }
  const { baseUrl, referenceField: field } = desk;
  if (toTicket(baseUrl, ticket.reference).url !== ticket.url) {
    return skipped(
      `The ticket is not at this machine's SUPPORT_DESK_URL, ${baseUrl}. Set SUPPORT_DESK_URL, ` +
        "SUPPORT_DESK_TOKEN and SUPPORT_DESK_REFERENCE_FIELD as this Deskhand has them",
    );
  }
  const read = await callDesk(desk, `ticket/${ticket.reference}`);
  const problem = explainUnreadable(read) ??
    explainMissingReference(jsonOf(read), field, reference);
  if (problem !== null) return failed(problem);

  const parameters = new URLSearchParams({ query: `CF.{${field}}='${reference}'` });
  const search = await callDesk(desk, `tickets?${parameters}`);
  const unreadable = explainUnreadable(search);
  if (unreadable !== null) return failed(unreadable);
  const found = SearchResponse.safeParse(jsonOf(search)).data?.items.map(({ id }) => id) ?? [];
  if (found.length === 1 && found[0] === ticket.reference) return ok();
  return found.includes(ticket.reference)
    ? failed(
      `RT finds ${found.length} tickets by ${reference}, so this request has more than one`,
      "Check these tickets, and the lines with this reference in Deskhand's log",
    )
    : failed(
      `Right: the ticket has ${reference} in its field ${
        quote(field)
      }, and RT does not find it by that`,
      "Grant Deskhand's user ShowTicket and SeeCustomField on the queue",
    );
}

function jsonOf(result: DeskCallResult): unknown {
  return result.outcome === "response" ? result.response.json : undefined;
}

function explainUnreadable(result: DeskCallResult): Problem | null {
  if (result.outcome === "no_response") return result.problem;
  const { status, json } = result.response;
  if (status === 200 && json !== undefined) return null;
  if (status === 403 || status === 404) {
    return {
      cause: `Right: Deskhand's user may not read the ticket (${status}), so lookups miss it`,
      next: "Grant the user ShowTicket globally, for every queue to which agents move tickets",
    };
  }
  return {
    cause: `RT responded ${status} when the ticket was read from here`,
    next: "Check that SUPPORT_DESK_TOKEN is the one that this Deskhand has, and RT's log",
  };
}

/** Without the field, a ticket is only found by its subject, until somebody edits that. */
function explainMissingReference(json: unknown, field: string, reference: string): Problem | null {
  const values = TicketResponse.safeParse(json).data?.CustomFields
    .find(({ name }) => name === field)?.values;
  const where = `SUPPORT_DESK_REFERENCE_FIELD is ${quote(field)}`;
  if (values === undefined) {
    return {
      cause:
        `Field: RT dropped the reference, because the ticket has no such custom field (${where})`,
      next: "Create a ticket custom field of exactly this name in RT, apply it to the queue, and " +
        `grant Deskhand's user SeeCustomField and ModifyCustomField there, as ${SETUP_SCRIPT} does`,
    };
  }
  if (values.includes(reference)) return null;
  return {
    cause: `Right: RT dropped the reference, and the ticket's custom field is empty (${where})`,
    next: "Grant Deskhand's user ModifyCustomField on the queue, and check that the field takes " +
      "any text",
  };
}
