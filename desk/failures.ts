import type { Failure } from "../domain/model/failure.ts";
import type { CreateTicketResult } from "../domain/ports/desk.ts";
import { type Exchange, responsivenessOf, traceOf } from "./http.ts";

type FailedCreation = Extract<CreateTicketResult, { outcome: "failed" }>;

/**
 * What a creation came to that did not end in a readable 201. Whether a ticket may exist depends
 * on who spoke last: a desk that refused made none; one that fell silent, or that a proxy spoke
 * for, may have.
 */
export function toCreateFailure(exchange: Exclude<Exchange, { outcome: "read" }>): FailedCreation {
  return {
    outcome: "failed",
    failure: toFailure(exchange),
    // Request Tracker's own error is 500. The others are a proxy's words, and the desk behind it may
    // still be at work: Envoy and Varnish say 503 where they have lost it or wait no longer.
    deskAnswered: exchange.outcome === "answered" && exchange.status === 500,
    responsiveness: responsivenessOf(exchange),
    trace: traceOf(exchange),
  };
}

function toFailure(exchange: Exclude<Exchange, { outcome: "read" }>): Failure {
  switch (exchange.outcome) {
    case "expired":
      return { reason: "desk_timeout", ticketMayExist: false };
    case "not_sent":
      return { reason: "desk_unreachable", ticketMayExist: false };
    case "timed_out":
      return { reason: "desk_timeout", ticketMayExist: true };
    case "connection_lost":
      return { reason: "desk_connection_lost", ticketMayExist: true };
    case "unreadable":
      return { reason: "desk_unreadable", ticketMayExist: true };
    case "answered":
      return failureOfStatus(exchange);
  }
}

function failureOfStatus({ status, isJson }: Extract<Exchange, { outcome: "answered" }>): Failure {
  // Request Tracker's own are JSON. Any other is of a firewall or a sign-on proxy, which no new
  // token would change.
  const isUnauthorized = (status === 401 || status === 403) && isJson;
  // Request Tracker redirects a token that it rejects to its login page.
  if (isUnauthorized || isStatusClass(300, status)) {
    return { reason: "desk_refused_credentials", ticketMayExist: false };
  }
  if (status === 429) return { reason: "desk_rate_limited", ticketMayExist: false };
  if (isStatusClass(400, status)) return { reason: "desk_rejected", ticketMayExist: false };
  if (isStatusClass(500, status)) return { reason: "desk_error", ticketMayExist: true };
  return { reason: "desk_unreadable", ticketMayExist: true };
}

function isStatusClass(hundred: number, status: number): boolean {
  return status >= hundred && status < hundred + 100;
}
