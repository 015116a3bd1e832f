import type {
  CallTrace,
  CreateTicketResult,
  FindTicketResult,
  Responsiveness,
} from "../domain/ports/desk.ts";
import type { Severity } from "../domain/model/submission.ts";
import type { SupportRequest } from "../domain/model/support_request.ts";
import {
  type FoundItem,
  matchesField,
  matchesSubject,
  parseCreatedTicketNumber,
  parseSearchResult,
  type SearchResult,
} from "./responses.ts";
import { responsivenessOf, sendRequest, traceOf } from "./http.ts";
import type { UngatedDesk } from "./gate.ts";
import { normalizeBaseUrl, parseTicketLink, toTicket } from "./link.ts";
import { toCreateFailure } from "./failures.ts";
import { ticketContent, ticketSubject } from "./ticket.ts";

/**
 * Request Tracker cuts a longer email address without a word, and would send mail to the owner of the
 * shorter one.
 */
const MAX_REQUESTOR_LENGTH = 120;

/** How much older than its request a ticket may be by the desk's clock. */
const CREATED_MARGIN_MS = 2 * 24 * 60 * 60 * 1000;

export interface RequestTrackerSettings {
  /** Where people open the desk, with its base path if it has one. */
  url: string | URL;
  /** An auth token of the user that Deskhand is at the desk. */
  token: string;
  /** The queue in which tickets are made. */
  queue: string;
  label: string;
  /** The ticket custom field that holds the reference of the support request. */
  referenceField: string;
  /** Whom the desk sends mail to. By default `token`. */
  requestor?: RequestorSource;
  /** The priority of a ticket by severity; the queue's own for those that are not named. */
  priorities?: Partial<Record<Severity, number>>;
}

/**
 * Where the ticket's requestor comes from. Request Tracker sends every new ticket with all of its
 * text to its requestor, and its people's replies as well.
 *
 * - `token`: the verified email address of the token, if it has one.
 * - `contact`: the email address that was typed, which may be anybody's; otherwise the token's.
 * - `none`: no requestor.
 */
export type RequestorSource = "token" | "contact" | "none";

/**
 * The support desk at a Request Tracker 5 or 6, over its REST 2.0 interface. Of its responses
 * only a validated ticket number and the status code leave this folder.
 *
 * @throws {TypeError} if the address is no URL or the token cannot stand in an HTTP header.
 */
export function createRequestTracker(
  settings: RequestTrackerSettings,
  fetch: typeof globalThis.fetch,
): UngatedDesk {
  const address = normalizeBaseUrl(settings.url);
  const headers = requestHeaders(settings.token);
  const { label, referenceField } = settings;

  async function createTicket(
    request: SupportRequest,
    signal: AbortSignal,
  ): Promise<CreateTicketResult> {
    const answer = await sendRequest(fetch, {
      method: "POST",
      url: `${address}/REST/2.0/ticket`,
      headers,
      body: JSON.stringify(toTicketFields(settings, request)),
      wanted: 201,
    }, signal);
    if (answer.outcome !== "read") return toCreateFailure(answer);
    const number = parseCreatedTicketNumber(answer.json);
    return number === null
      ? toCreateFailure({ outcome: "unreadable", status: 201 })
      : { outcome: "created", ticket: toTicket(address, number) };
  }

  /**
   * By the custom field, then by the subject, which the desk keeps even where it silently drops a
   * field that it does not know. In every queue: agents move tickets.
   */
  async function findTicket(
    request: SupportRequest,
    signal: AbortSignal,
  ): Promise<FindTicketResult> {
    const { reference } = request;
    const since = createdSince(request);
    const byField = await search(
      `${since} AND CF.{${referenceField}}=${quote(reference)}`,
      "CustomFields",
      matchesField(referenceField, reference),
      signal,
    );
    if (byField.result.outcome === "found") return foundTicket(byField.result.number);
    const bySubject = await search(
      `${since} AND Subject LIKE ${quote(reference)}`,
      "Subject",
      matchesSubject(reference),
      signal,
    );
    if (bySubject.result.outcome === "found") return foundTicket(bySubject.result.number);
    const unclear = [byField, bySubject].find(({ result }) => result.outcome !== "none");
    if (unclear === undefined) return { outcome: "absent" };
    const { trace } = unclear;
    return {
      outcome: "unclear",
      responsiveness: bySubject.responsiveness ?? byField.responsiveness,
      trace,
    };
  }

  async function search(
    query: string,
    fields: string,
    isOurs: (item: FoundItem) => boolean,
    signal: AbortSignal,
  ): Promise<SearchOutcome> {
    // A ticket merged into another is left out unless its EffectiveId is asked for.
    query = `EffectiveId > 0 AND ${query}`;
    const parameters = new URLSearchParams({ query, fields, orderby: "id", order: "ASC" });
    const answer = await sendRequest(fetch, {
      method: "GET",
      url: `${address}/REST/2.0/tickets?${parameters}`,
      headers,
      wanted: 200,
    }, signal);
    const result: SearchResult = answer.outcome === "read"
      ? parseSearchResult(answer.json, isOurs)
      : { outcome: "unclear" };
    const trace = traceOf(answer);
    const phase = answer.outcome === "not_sent" ? answer.phase : "search";
    return {
      result,
      responsiveness: responsivenessOf(answer),
      trace: trace && { ...trace, phase },
    };
  }

  function foundTicket(number: string): FindTicketResult {
    return { outcome: "found", ticket: toTicket(address, number) };
  }

  return {
    label,
    resolveTicket: (text) => parseTicketLink(address, text),
    createTicket,
    findTicket,
  };
}

/** What one search says, with what it shows of the desk. */
interface SearchOutcome {
  result: SearchResult;
  responsiveness?: Responsiveness;
  trace?: CallTrace;
}

function requestHeaders(token: string): Record<string, string> {
  const headers = {
    "Accept": "application/json",
    "Authorization": `token ${token}`,
    "Content-Type": "application/json",
    // Request Tracker takes "Mozilla" for a browser and sends it to the login page.
    "User-Agent": "Deskhand",
  };
  try {
    new Headers(headers);
  } catch {
    // The runtime's own message quotes the value.
    throw new TypeError("Cannot use the desk's token: it has characters that no header may have");
  }
  return headers;
}

function toTicketFields(settings: RequestTrackerSettings, request: SupportRequest): unknown {
  const email = requestor(settings.requestor ?? "token", request) ?? "";
  const priority = settings.priorities?.[request.severity];
  return {
    Queue: settings.queue,
    Subject: ticketSubject(request.reference, request.summary),
    ...email !== "" && email.length <= MAX_REQUESTOR_LENGTH && { Requestor: email },
    ...priority !== undefined && { Priority: priority },
    Content: ticketContent(request),
    ContentType: "text/plain",
    CustomFields: { [settings.referenceField]: request.reference },
  };
}

function requestor(source: RequestorSource, request: SupportRequest): string | undefined {
  switch (source) {
    case "token":
      return request.requestorEmail;
    case "contact":
      // What was left empty in a form is no address.
      return request.contact?.email || request.requestorEmail;
    case "none":
      return undefined;
  }
}

/**
 * The condition that a ticket is not older than `request`: `Subject LIKE` has no index and reads
 * every ticket that the other conditions leave. Request Tracker reads a date as midnight in the
 * time zone of our user there, or of the server, at most 14 hours from UTC: of the two days, at
 * least 34 hours are left for a desk whose clock is slow.
 */
function createdSince({ createdAt }: SupportRequest): string {
  const since = new Date(Date.parse(createdAt) - CREATED_MARGIN_MS);
  return `Created >= ${quote(since.toISOString().slice(0, 10))}`;
}

/** A string of Request Tracker's query language (RT::SQL). */
function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
