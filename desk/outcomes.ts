import type { FailureReason } from "../domain/failure.ts";
import type { Creation } from "../domain/ports.ts";
import type { Exchange } from "./exchange.ts";

/**
 * What a creation came to that did not end in a readable 201. Whether a ticket may exist depends
 * on who spoke last: a desk that refused made none; one that fell silent, or that a proxy spoke
 * for, may have.
 */
export function failedCreation(exchange: Exclude<Exchange, { outcome: "read" }>): Creation {
  switch (exchange.outcome) {
    case "expired":
      return failed("desk_timeout", false);
    case "not_sent":
      return failed("desk_unreachable", false);
    case "timed_out":
      return failed("desk_timeout", true);
    case "connection_lost":
      return failed("desk_connection_lost", true);
    case "unreadable":
      return failed("desk_unreadable", true);
    case "answered":
      return failedAnswer(exchange.status);
  }
}

function failedAnswer(status: number): Creation {
  // Request Tracker sends a token that it does not take to its login page.
  if (status === 401 || status === 403 || isIn(300, status)) {
    return failed("desk_refused_credentials", false);
  }
  if (status === 429) return failed("desk_rate_limited", false);
  if (isIn(400, status)) return failed("desk_rejected", false);
  if (isIn(500, status)) {
    // Request Tracker's own is 500. The others are a proxy's words, and the desk behind it may still
    // be at work: Envoy and Varnish say 503 where they have lost it or wait no longer.
    return failed("desk_error", true, status === 500);
  }
  return failed("desk_unreadable", true);
}

function isIn(hundred: number, status: number): boolean {
  return status >= hundred && status < hundred + 100;
}

function failed(reason: FailureReason, ticketMayExist: boolean, deskAnswered = false): Creation {
  return { outcome: "failed", failure: { reason, ticketMayExist }, deskAnswered };
}
