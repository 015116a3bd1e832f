/** Checks that Deskhand hands a request to the desk: it creates one real ticket. */
import type { FailureReason } from "../../../domain/model/failure.ts";
import type { Handoff } from "../../../domain/model/handoff.ts";
import { SupportRequest } from "../../../routes/v1/responses.ts";
import { bodyOf, requestsPath } from "../call.ts";
import { explainResult } from "../explanations.ts";
import { failed, type Finding, ok, type Problem, type Smoke } from "../finding.ts";
import { SUBMISSION } from "../storage.ts";

export function hasDesk({ summary, desk }: Smoke): Finding {
  if (summary?.handoffModes.includes("create")) return ok();
  return failed(
    "This Deskhand has no desk (desk_not_configured)",
    desk === null
      ? "Set SUPPORT_DESK_URL, SUPPORT_DESK_TOKEN and SUPPORT_DESK_QUEUE, and restart Deskhand"
      : "SUPPORT_DESK_URL is set here: restart Deskhand so that it reads it",
  );
}

export async function createsTicket(smoke: Smoke): Promise<Finding> {
  const { call, target } = smoke;
  const result = await call(requestsPath(target), {
    json: { ...SUBMISSION, handoff: { mode: "create" } },
    idempotencyKey: `${target.runId}-ticket`,
  });
  const request = bodyOf(result, 201, SupportRequest);
  if (request === null) return failed(await explainResult(result, smoke));
  const { reference, handoff } = request;
  if (handoff.status !== "created") return failed(explainHandoff(handoff, reference, smoke));
  smoke.handedOff = { reference, ticket: handoff.ticket };
  return ok(`${reference}, ${new URL(handoff.ticket.url).href} (resolve it)`);
}

/** The cause and the next step of each reason, for a machine that has no settings of the desk. */
const REASONS: Record<FailureReason, [cause: string, next: string]> = {
  desk_not_configured: [
    "this Deskhand has no desk",
    "Set SUPPORT_DESK_URL, SUPPORT_DESK_TOKEN and SUPPORT_DESK_QUEUE, and restart Deskhand",
  ],
  desk_unavailable: [
    "nothing was sent: RT has timed out repeatedly, or too many submissions are waiting for it",
    "Check RT's load and its database, and SUPPORT_DESK_MAX_CONCURRENCY",
  ],
  desk_unreachable: [
    "nothing was sent: DNS, connection or TLS failed; phase in the log line says which",
    "Check the name, port and certificate in SUPPORT_DESK_URL, from Deskhand's machine",
  ],
  desk_timeout: [
    "RT did not respond within SUPPORT_DESK_TIMEOUT_MS (5000 by default)",
    "Check RT's load, its database, and for a firewall that drops packets",
  ],
  desk_connection_lost: [
    "the connection was closed after the request was sent",
    "Check the log of RT's web server, and proxies in front of it",
  ],
  desk_refused_credentials: [
    "RT rejected the token, the queue or the user's right to create tickets, or redirected to a " +
    "login page; deskStatus in the log line says which: 401 the token, 403 the queue or the " +
    "right, 3xx a redirect",
    "Check SUPPORT_DESK_TOKEN, SUPPORT_DESK_QUEUE, and the user's rights SeeQueue and CreateTicket",
  ],
  desk_rejected: [
    "RT, or a firewall or proxy in front of it, did not accept the ticket; deskStatus in the log " +
    "line: 404 a wrong base path, 401 or 403 a firewall, 400 or 422 the ticket",
    "Exempt POST below /REST/2.0/ from a web application firewall in front of RT, and check the " +
    "base path in SUPPORT_DESK_URL, mandatory fields of the queue, and RT's log",
  ],
  desk_rate_limited: [
    "RT or a proxy in front of it limits the rate (429)",
    "Raise the limit there for Deskhand, then try again",
  ],
  desk_error: [
    "RT or a proxy in front of it failed (5xx)",
    "Check the logs of RT and of its web server",
  ],
  desk_unreadable: [
    "what responds at SUPPORT_DESK_URL is not RT's REST API",
    "Check the URL, and for a login or maintenance page in front of RT",
  ],
  interrupted: ["Deskhand's process ended during the handoff", "Check the end of its log"],
};

/** Reasons that a restart removes if only the settings of the running process are old. */
const DEPENDS_ON_SETTINGS: ReadonlySet<FailureReason> = new Set([
  "desk_not_configured",
  "desk_unreachable",
  "desk_refused_credentials",
  "desk_unreadable",
]);

/** Explains a handoff without a ticket; the desk's own checks may have found the cause before. */
function explainHandoff(
  handoff: Handoff,
  reference: string,
  { desk, deskFailed = false }: Pick<Smoke, "desk" | "deskFailed">,
): Problem {
  if (handoff.status === "pending") {
    return {
      cause: "The handoff is still pending",
      next: "Check the log for the events outcome_not_recorded and handoff_left_pending. If they " +
        "are there, KV is the cause: check KV_PATH, its disk or its server",
    };
  }
  if (handoff.status !== "failed") {
    return { cause: `The handoff is ${handoff.status}`, next: "Report this as a bug" };
  }
  const { reason } = handoff;
  const [cause, next] = REASONS[reason];
  const mayExist = handoff.ticketMayExist ? `. A ticket may exist: search RT for ${reference}` : "";
  return { cause: `${reason}: ${cause}${mayExist}`, next: nextStep() };

  function nextStep(): string {
    if (desk === null) return next;
    if (deskFailed) return "See what failed above";
    if (!DEPENDS_ON_SETTINGS.has(reason)) return next;
    return `RT works with this machine's settings: restart Deskhand if they have changed. ${next}`;
  }
}
