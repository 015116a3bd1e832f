import { toCreateFailure } from "./failures.ts";
import type { UngatedDesk } from "./gate.ts";
import { normalizeBaseUrl, parseTicketLink, toTicket } from "./link.ts";
import { parseCreatedTicketNumber } from "./responses.ts";
import { createRestApi } from "./rest_api.ts";
import { findTicketNumber } from "./search.ts";
import { type TicketFieldSettings, toTicketFields } from "./ticket_fields.ts";

export interface RequestTrackerSettings extends TicketFieldSettings {
  /** The base URL of the desk's web pages, including its base path if it has one. */
  url: string | URL;
  /** An auth token of Deskhand's user account at the desk. */
  token: string;
  /** The display name of the desk. */
  label: string;
}

/**
 * Creates the desk: a Request Tracker 5 or 6, called through its REST 2.0 API. Of its responses,
 * only a validated ticket number and the HTTP status code leave this folder.
 *
 * @throws {TypeError} If the URL is invalid or the token is not a valid header value.
 */
export function createRequestTracker(
  settings: RequestTrackerSettings,
  fetch: typeof globalThis.fetch,
): UngatedDesk {
  const baseUrl = normalizeBaseUrl(settings.url);
  const api = createRestApi(baseUrl, settings.token, fetch);
  return {
    label: settings.label,
    resolveTicket: (text) => parseTicketLink(baseUrl, text),
    async createTicket(request, signal) {
      const exchange = await api.createTicket(toTicketFields(settings, request), signal);
      if (exchange.outcome !== "json") return toCreateFailure(exchange);
      const number = parseCreatedTicketNumber(exchange.json);
      return number === null
        ? toCreateFailure({ outcome: "unreadable", status: exchange.status })
        : { outcome: "created", ticket: toTicket(baseUrl, number) };
    },
    async findTicket(request, signal) {
      const search = await findTicketNumber(api, settings.referenceField, request, signal);
      return search.outcome === "found"
        ? { outcome: "found", ticket: toTicket(baseUrl, search.number) }
        : search;
    },
  };
}
