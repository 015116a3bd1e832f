import type { Severity } from "../domain/model/submission.ts";
import type { SupportRequest } from "../domain/model/support_request.ts";
import { ticketContent, ticketSubject } from "./ticket_text.ts";

/**
 * Request Tracker silently truncates a longer email address, and would send mail to the owner of
 * the truncated one.
 */
const MAX_REQUESTOR_LENGTH = 120;

/**
 * Where the ticket's requestor comes from. By default, Request Tracker mails the whole text of a
 * new ticket and the support agents' replies to its requestor.
 *
 * - `token`: the verified email address in the access token, if there is one.
 * - `contact`: the email address that the user typed, which may be anybody's; otherwise the
 *   token's.
 * - `none`: no requestor.
 */
export type RequestorSource = "token" | "contact" | "none";

/** How the fields of a ticket are derived from a support request. */
export interface TicketFieldSettings {
  /** The queue in which tickets are created. */
  queue: string;
  /** The ticket custom field that holds the reference of the support request. */
  referenceField: string;
  /** Defaults to `token`. */
  requestor?: RequestorSource;
  /** The priority of a ticket by severity; a severity without one gets the queue's default. */
  priorities?: Partial<Record<Severity, number>>;
}

/** Maps a support request to the JSON body of `POST /REST/2.0/ticket`. */
export function toTicketFields(
  { queue, referenceField, requestor = "token", priorities = {} }: TicketFieldSettings,
  request: SupportRequest,
): Record<string, unknown> {
  const email = requestorEmail(requestor, request) ?? "";
  const priority = priorities[request.severity];
  return {
    Queue: queue,
    Subject: ticketSubject(request.reference, request.summary),
    ...email !== "" && email.length <= MAX_REQUESTOR_LENGTH && { Requestor: email },
    ...priority !== undefined && { Priority: priority },
    Content: ticketContent(request),
    ContentType: "text/plain",
    CustomFields: { [referenceField]: request.reference },
  };
}

function requestorEmail(source: RequestorSource, request: SupportRequest): string | undefined {
  switch (source) {
    case "token":
      return request.requestorEmail;
    case "contact":
      // `||`, because a form field that was left empty is not an email address.
      return request.contact?.email || request.requestorEmail;
    case "none":
      return undefined;
  }
}
