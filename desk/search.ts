import type { CallTrace, Responsiveness } from "../domain/ports/desk.ts";
import type { SupportRequest } from "../domain/model/support_request.ts";
import { responsivenessOf, traceOf } from "./http.ts";
import {
  type FoundItem,
  matchesField,
  matchesSubject,
  parseSearchResult,
  type SearchResult,
} from "./responses.ts";
import type { RestApi } from "./rest_api.ts";

/** How much older than its request a ticket may be by the desk's clock. */
const CREATED_MARGIN_MS = 2 * 24 * 60 * 60 * 1000;

/** The result of {@linkcode findTicketNumber}. Only `absent` means that there is no ticket. */
export type SearchOutcome =
  | { outcome: "found"; number: string }
  | { outcome: "absent" }
  | { outcome: "unclear"; responsiveness?: Responsiveness; trace?: CallTrace };

/**
 * Searches by custom field, then by subject, because Request Tracker silently drops unknown custom
 * fields. Searches all queues, because support agents move tickets.
 */
export async function findTicketNumber(
  api: RestApi,
  referenceField: string,
  request: SupportRequest,
  signal: AbortSignal,
): Promise<SearchOutcome> {
  const { reference } = request;
  const since = createdSince(request);
  const byField = await search(
    api,
    `${since} AND CF.{${referenceField}}=${quote(reference)}`,
    "CustomFields",
    matchesField(referenceField, reference),
    signal,
  );
  if (byField.result.outcome === "found") return byField.result;
  const bySubject = await search(
    api,
    `${since} AND Subject LIKE ${quote(reference)}`,
    "Subject",
    matchesSubject(reference),
    signal,
  );
  if (bySubject.result.outcome === "found") return bySubject.result;
  const unclear = [byField, bySubject].find(({ result }) => result.outcome !== "none");
  if (unclear === undefined) return { outcome: "absent" };
  return {
    outcome: "unclear",
    responsiveness: bySubject.responsiveness ?? byField.responsiveness,
    trace: unclear.trace,
  };
}

/** The result of one search, and what it shows about the desk. */
interface SearchCall {
  result: SearchResult;
  responsiveness?: Responsiveness;
  trace?: CallTrace;
}

async function search(
  api: RestApi,
  conditions: string,
  fields: string,
  isMatch: (item: FoundItem) => boolean,
  signal: AbortSignal,
): Promise<SearchCall> {
  // Without a condition on EffectiveId, Request Tracker omits tickets that were merged into
  // another.
  const query = `EffectiveId > 0 AND ${conditions}`;
  const parameters = new URLSearchParams({ query, fields, orderby: "id", order: "ASC" });
  const exchange = await api.get(`tickets?${parameters}`, signal);
  const result: SearchResult = exchange.outcome === "json"
    ? parseSearchResult(exchange.json, isMatch)
    : { outcome: "unclear" };
  const trace = traceOf(exchange);
  const phase = exchange.outcome === "not_sent" ? exchange.phase : "search";
  return {
    result,
    responsiveness: responsivenessOf(exchange),
    trace: trace && { ...trace, phase },
  };
}

/**
 * Returns the condition that a ticket is not older than its request, which bounds the search:
 * `Subject LIKE` has no index and reads every ticket that the other conditions leave. Request
 * Tracker reads a date as midnight in the time zone of our user or of the server, at most 14 hours
 * from UTC. The margin of two days therefore tolerates a desk whose clock is up to 34 hours slow.
 */
function createdSince({ createdAt }: SupportRequest): string {
  const since = new Date(Date.parse(createdAt) - CREATED_MARGIN_MS);
  return `Created >= ${quote(since.toISOString().slice(0, 10))}`;
}

/** Quotes a string for Request Tracker's query language, TicketSQL. */
function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
