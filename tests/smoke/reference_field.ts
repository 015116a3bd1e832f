import { z } from "zod";
import { Environment } from "../../config/environment.ts";
import { isSafeInTransit } from "../../config/http_hosts.ts";
import { type Exchange, sendRequest } from "../../desk/http.ts";
import { normalizeBaseUrl, toTicket } from "../../desk/link.ts";
import type { Ticket } from "../../domain/model/handoff.ts";
import { failed, type Finding, ok, skipped } from "./finding.ts";

const DEADLINE_MS = 5_000;

/** The desk as the service has it in its environment, where this is the operator's machine. */
const DeskEnvironment = z.object({
  SUPPORT_DESK_URL: Environment.shape.SUPPORT_DESK_URL.unwrap(),
  SUPPORT_DESK_TOKEN: Environment.shape.SUPPORT_DESK_TOKEN.unwrap(),
  SUPPORT_DESK_REFERENCE_FIELD: Environment.shape.SUPPORT_DESK_REFERENCE_FIELD,
  ALLOW_HTTP_HOSTS: Environment.shape.ALLOW_HTTP_HOSTS,
}).refine((env) => isSafeInTransit(env.SUPPORT_DESK_URL, env.ALLOW_HTTP_HOSTS), {
  path: ["ALLOW_HTTP_HOSTS"],
  error: "must list the desk's host if SUPPORT_DESK_URL is plain http",
});

const TicketAnswer = z.object({
  // RT writes "" for a ticket in a queue that has no fields.
  CustomFields: z.array(z.object({ name: z.string(), values: z.array(z.unknown()) })).catch([]),
});

const SearchAnswer = z.object({ items: z.array(z.object({ id: z.coerce.string() })) });

/**
 * Whether the desk kept the reference in the custom field, and finds the ticket by it. RT answers
 * 201 and silently drops a field that it does not know, so nobody but RT can say: it is asked in
 * the name of the same user. Only the address in `env` is ever sent the desk's token.
 */
export async function findByField(
  reference: string,
  ticket: Ticket,
  env: Record<string, string>,
): Promise<Finding> {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  const parsed = DeskEnvironment.safeParse(set);
  if (!parsed.success) {
    const names = [...new Set(parsed.error.issues.map(({ path }) => path.join(".")))];
    return skipped(
      "Not possible from here: RT drops a field that it does not know without a word, and only RT " +
        `can say. Set ${
          names.join(", ")
        } to what this Deskhand has, in the environment or in .env, ` +
        `or look at the ticket yourself: its field must have ${reference}`,
    );
  }
  const { SUPPORT_DESK_REFERENCE_FIELD: field, SUPPORT_DESK_TOKEN: token } = parsed.data;
  const address = normalizeBaseUrl(parsed.data.SUPPORT_DESK_URL);
  if (toTicket(address, ticket.reference).url !== ticket.url) {
    return skipped(
      `Not possible from here: the ticket is not at ${address}. Set SUPPORT_DESK_URL, ` +
        "SUPPORT_DESK_TOKEN and SUPPORT_DESK_REFERENCE_FIELD as this Deskhand has them",
    );
  }

  const read = await ask(address, token, `ticket/${ticket.reference}`);
  if (read.outcome !== "json") return failed(explain(read));
  const problem = whatIsMissing(read.json, field, reference);
  if (problem !== null) return failed(problem);

  const parameters = new URLSearchParams({ query: `CF.{${field}}='${reference}'` });
  const search = await ask(address, token, `tickets?${parameters}`);
  if (search.outcome !== "json") return failed(explain(search));
  const found = SearchAnswer.safeParse(search.json).data?.items.map(({ id }) => id);
  if (found?.length === 1 && found[0] === ticket.reference) return ok();
  return failed(
    found?.includes(ticket.reference)
      ? `RT finds ${found.length} tickets by ${reference}: this request has more than one ticket. ` +
        "Look at them at the desk, and for lines with this reference in Deskhand's log"
      : `The ticket has ${reference} in its field '${field}', and RT does not find it by that. ` +
        "Give the desk's user ShowTicket and SeeCustomField on the queue",
  );
}

function ask(address: string, token: string, what: string): Promise<Exchange> {
  const headers = {
    "Accept": "application/json",
    "Authorization": `token ${token}`,
    // RT takes "Mozilla" for a browser and sends it to the login page.
    "User-Agent": "Deskhand",
  };
  const url = `${address}/REST/2.0/${what}`;
  const signal = AbortSignal.timeout(DEADLINE_MS);
  return sendRequest(fetch, { method: "GET", url, headers, expectedStatus: 200 }, signal);
}

/** Without its field a ticket is found by its subject alone, until somebody edits that. */
function whatIsMissing(json: unknown, field: string, reference: string): string | null {
  const values = TicketAnswer.safeParse(json).data?.CustomFields
    .find(({ name }) => name === field)?.values;
  if (values === undefined) {
    return `RT dropped the reference: the ticket has no field '${field}'. Make a ticket custom ` +
      "field of exactly this name in RT, apply it to the queue, and give the desk's user " +
      "SeeCustomField and ModifyCustomField there; or, if the field has another name, set " +
      "SUPPORT_DESK_REFERENCE_FIELD to that and restart";
  }
  return values.includes(reference)
    ? null
    : `RT dropped the reference: the ticket's field '${field}' does not have it. Give the desk's ` +
      "user ModifyCustomField on the queue, and check that the field takes any text";
}

function explain(exchange: Exclude<Exchange, { outcome: "json" }>): string {
  switch (exchange.outcome) {
    case "unexpected_status":
      return `RT answered ${exchange.status} when it was asked for the ticket from here: check ` +
        "that SUPPORT_DESK_TOKEN is here what this Deskhand has, and that the desk's user has " +
        "ShowTicket on the queue";
    case "not_sent":
      return "RT cannot be reached from here: check SUPPORT_DESK_URL, and the network between";
    case "unreadable":
      return "RT's answer cannot be read from here: look at what stands before it";
    case "connection_lost":
      return "The connection to RT broke: look at what stands before it, and at RT's log";
    case "expired":
    case "timed_out":
      return `RT did not answer within ${DEADLINE_MS / 1000} s: look at its load`;
  }
}
