import type { CallTrace, Contact, Creation, Lookup } from "../domain/ports.ts";
import type { Severity } from "../domain/model/submission.ts";
import type { SupportRequest } from "../domain/model/support_request.ts";
import {
  carriesInField,
  createdNumber,
  type FoundItem,
  namesInSubject,
  type SearchResult,
  searchResult,
} from "./responses.ts";
import { contactAt, exchange, traceAt } from "./http.ts";
import type { UngatedDesk } from "./gate.ts";
import { deskAddress, linkedTicket, ticketAt } from "./link.ts";
import { failedCreation } from "./failures.ts";
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
  const address = deskAddress(settings.url);
  const headers = requestHeaders(settings.token);
  const { label, referenceField } = settings;

  async function create(request: SupportRequest, signal: AbortSignal): Promise<Creation> {
    const answer = await exchange(fetch, {
      method: "POST",
      url: `${address}/REST/2.0/ticket`,
      headers,
      body: JSON.stringify(newTicket(settings, request)),
      wanted: 201,
    }, signal);
    if (answer.outcome !== "read") return failedCreation(answer);
    const number = createdNumber(answer.json);
    return number === null
      ? failedCreation({ outcome: "unreadable", status: 201 })
      : { outcome: "created", ticket: ticketAt(address, number) };
  }

  /**
   * By the custom field, then by the subject, which the desk keeps even where it silently drops a
   * field that it does not know. In every queue: agents move tickets.
   */
  async function find(request: SupportRequest, signal: AbortSignal): Promise<Lookup> {
    const { reference } = request;
    const since = createdSince(request);
    const byField = await search(
      `${since} AND CF.{${referenceField}}=${quoted(reference)}`,
      "CustomFields",
      carriesInField(referenceField, reference),
      signal,
    );
    if (byField.result.outcome === "found") return foundTicket(byField.result.number);
    const bySubject = await search(
      `${since} AND Subject LIKE ${quoted(reference)}`,
      "Subject",
      namesInSubject(reference),
      signal,
    );
    if (bySubject.result.outcome === "found") return foundTicket(bySubject.result.number);
    const unclear = [byField, bySubject].find(({ result }) => result.outcome !== "none");
    if (unclear === undefined) return { outcome: "absent" };
    const { trace } = unclear;
    return { outcome: "unclear", contact: bySubject.contact ?? byField.contact, trace };
  }

  async function search(
    query: string,
    fields: string,
    isOurs: (item: FoundItem) => boolean,
    signal: AbortSignal,
  ): Promise<Searched> {
    // A ticket merged into another is left out unless its EffectiveId is asked for.
    query = `EffectiveId > 0 AND ${query}`;
    const parameters = new URLSearchParams({ query, fields, orderby: "id", order: "ASC" });
    const answer = await exchange(fetch, {
      method: "GET",
      url: `${address}/REST/2.0/tickets?${parameters}`,
      headers,
      wanted: 200,
    }, signal);
    const result: SearchResult = answer.outcome === "read"
      ? searchResult(answer.json, isOurs)
      : { outcome: "unclear" };
    const trace = traceAt(answer);
    const phase = answer.outcome === "not_sent" ? answer.phase : "search";
    return { result, contact: contactAt(answer), trace: trace && { ...trace, phase } };
  }

  function foundTicket(number: string): Lookup {
    return { outcome: "found", ticket: ticketAt(address, number) };
  }

  return { label, link: (text) => linkedTicket(address, text), create, find };
}

/** What one search says, with what it shows of the desk. */
interface Searched {
  result: SearchResult;
  contact?: Contact;
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

function newTicket(settings: RequestTrackerSettings, request: SupportRequest): unknown {
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
  return `Created >= ${quoted(since.toISOString().slice(0, 10))}`;
}

/** A string of Request Tracker's query language (RT::SQL). */
function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
