import type { FailureReason } from "../../domain/model/failure.ts";
import type { Handoff } from "../../domain/model/handoff.ts";
import { type Answer, problemOf, type Target } from "./call.ts";

/** What an operator can do about each reason for which a handoff fails. */
const REASONS: Record<FailureReason, string> = {
  desk_not_configured: "This Deskhand has no desk: set SUPPORT_DESK_URL, SUPPORT_DESK_TOKEN and " +
    "SUPPORT_DESK_QUEUE, then restart it",
  desk_unavailable: "Nothing was sent: RT has timed out repeatedly, or more submissions wait for " +
    "it than SUPPORT_DESK_MAX_CONCURRENCY lets through in time: look at RT's load and its database",
  desk_unreachable: "Nothing could be sent to RT: check the name, port and certificate in " +
    "SUPPORT_DESK_URL, and that Deskhand's machine may connect to it",
  desk_timeout: "RT did not answer within SUPPORT_DESK_TIMEOUT_MS (5000 where it is not set): " +
    "look at RT's load, its database and the network between",
  desk_connection_lost: "The connection broke after the request was sent: look at the log of " +
    "RT's web server, and at proxies between",
  desk_refused_credentials: "RT refused the token: make a new one for the desk's user, set " +
    "SUPPORT_DESK_TOKEN, restart. If the token is good, check that the queue in " +
    "SUPPORT_DESK_QUEUE exists, that the user has SeeQueue and CreateTicket there, and that " +
    "SUPPORT_DESK_URL is not redirected",
  desk_rejected: "RT did not accept the ticket: check that SUPPORT_DESK_URL has RT's base path " +
    "(RT answers 404 otherwise), that the queue requires no other field, and RT's log. With " +
    "deskStatus 401 or 403 in Deskhand's log it was a firewall or a sign-on proxy before RT",
  desk_rate_limited: "RT, or what stands before it, takes no more calls just now (429): allow " +
    "Deskhand more there, then try again",
  desk_error: "RT answered with an error of its own (5xx): look at RT's log",
  desk_unreadable:
    "What answers at SUPPORT_DESK_URL does not answer as RT's REST 2.0 does: check " +
    "the address, and whether a login or maintenance page stands before RT",
  interrupted: "Deskhand's process ended during the handoff: look at the end of its log",
};

/** What to do about a handoff that failed for `reason`. */
export function explainReason(reason: FailureReason): string {
  return `${reason}: ${REASONS[reason]}`;
}

/** Why there is no ticket, for whoever runs the service. */
export function explainHandoff(handoff: Handoff, reference: string): string {
  if (handoff.status === "failed") {
    const mayExist = handoff.ticketMayExist
      ? `. A ticket may exist: look for ${reference} at the desk`
      : "";
    return explainReason(handoff.reason) + mayExist;
  }
  return handoff.status === "pending"
    ? "The handoff is not settled. If the log has 'Cannot finalize the handoff', KV refused it: " +
      "look at KV_PATH, its disk or its server"
    : `A ticket was asked for, and the handoff is '${handoff.status}'. Report this as a bug`;
}

/** What is wrong where `answer` is not the one that a check wants, and what to look at. */
export function explainAnswer(answer: Answer, { tenantId }: Target): string {
  if (answer.outcome === "unanswered") return answer.note;
  const { status, headers, json } = answer;
  const problem = problemOf(json);
  switch (problem) {
    case "unauthenticated":
      return "The token was refused. It must be signed with this Deskhand's AUTH_SECRET or by the " +
        "issuer at its AUTH_JWKS_URL, have sub and exp, not have expired, and match AUTH_ISSUER " +
        "and AUTH_AUDIENCE where they are set";
    case "insufficient-scope":
      return "The token lacks a scope. It needs support_requests:create and support_requests:read";
    case "not-found":
      return `The token does not cover the tenant ${tenantId}: give one of its tenants with ` +
        "--tenant, or have the token issued for this one";
    case "rate-limited":
      return "This actor has submitted more than RATE_LIMIT_PER_MINUTE allows. Try again in " +
        `${seconds(headers)}`;
    case "store-unavailable":
      return "KV does not answer or takes no write: look at KV_PATH, its disk or its server, and " +
        "for 'The store is unavailable' or 'Cannot open KV' in the log";
    case "keys-unavailable":
      return "Deskhand cannot read the keys at AUTH_JWKS_URL: check the address, and that its " +
        "machine may connect to it";
    case "idempotency-in-progress":
      return "The first submission with this key is still under way: look at the desk and at KV";
    case "internal":
      return "A bug: look for the event unhandled_error in the log";
  }
  if (status >= 200 && status < 300) {
    return "The answer does not read as version 1 of the contract has it. Check that this smoke " +
      "test is of the same release as that Deskhand, and what stands before it";
  }
  if (status >= 300 && status < 400) {
    return "It redirects. Give the address to which it redirects with --url, if it is a Deskhand's";
  }
  const what = problem === null ? "" : ` (${problem})`;
  return `It answered ${status}${what}, and that is not what Deskhand answers here. Check that ` +
    "--url is a Deskhand's address, and what stands before it";
}

function seconds(headers: Headers): string {
  const after = headers.get("Retry-After") ?? "";
  return /^\d{1,4}$/.test(after) ? `${after} s` : "a minute";
}
