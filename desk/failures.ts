import type { Failure } from "../domain/model/failure.ts";
import type { CreateTicketResult } from "../domain/ports/desk.ts";
import { type Exchange, responsivenessOf, traceOf } from "./http.ts";

/** An exchange without a readable response of the expected status. */
type FailedExchange = Exclude<Exchange, { outcome: "json" }>;

/**
 * Converts a create request that got no readable 201 to a failure. Whether a ticket may exist
 * depends on who responded: a desk that rejects a request creates none; a desk that does not respond,
 * or that is behind a proxy that responds for it, may have created one.
 */
export function toCreateFailure(
  exchange: FailedExchange,
): Extract<CreateTicketResult, { outcome: "failed" }> {
  return {
    outcome: "failed",
    failure: toFailure(exchange),
    // Request Tracker itself only returns 500. Other 5xx codes come from a proxy, behind which the
    // desk may still be working: Envoy and Varnish return 503 when they lose it or stop waiting.
    respondedByDesk: exchange.outcome === "unexpected_status" && exchange.status === 500,
    responsiveness: responsivenessOf(exchange),
    trace: traceOf(exchange),
  };
}

function toFailure(exchange: FailedExchange): Failure {
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
    case "unexpected_status":
      return failureOfStatus(exchange);
  }
}

function failureOfStatus(
  { status, isJson }: Extract<Exchange, { outcome: "unexpected_status" }>,
): Failure {
  // Request Tracker's own 401 and 403 are JSON. Any other comes from a firewall or a sign-on proxy,
  // and a new token would not help.
  const isUnauthorized = (status === 401 || status === 403) && isJson;
  // Request Tracker redirects some requests with an invalid token to its login page.
  if (isUnauthorized || isStatusClass(3, status)) {
    return { reason: "desk_refused_credentials", ticketMayExist: false };
  }
  if (status === 429) return { reason: "desk_rate_limited", ticketMayExist: false };
  if (isStatusClass(4, status)) return { reason: "desk_rejected", ticketMayExist: false };
  if (isStatusClass(5, status)) return { reason: "desk_error", ticketMayExist: true };
  return { reason: "desk_unreadable", ticketMayExist: true };
}

function isStatusClass(firstDigit: number, status: number): boolean {
  return Math.floor(status / 100) === firstDigit;
}
