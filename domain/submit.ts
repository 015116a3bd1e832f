import type { Dependencies } from "./dependencies.ts";
import { failureSummary } from "./model/failure.ts";
import { type StoredHandoff, toTimestamp } from "./model/handoff.ts";
import { fingerprint, KEY_LIFETIME_MS } from "./model/idempotency.ts";
import { handoffDeadline } from "./handoff/timeouts.ts";
import {
  type AppendResult,
  type KeyClaim,
  type KeyLookup,
  StoreUnavailableError,
} from "./ports/store.ts";
import type { Reference } from "./model/reference.ts";
import { replayOrResume } from "./replay_or_resume.ts";
import { runHandoff } from "./handoff/run.ts";
import type { SubmitCommand, SubmitResult } from "./submit_result.ts";
import type { HandoffChoice } from "./model/submission.ts";
import type { SupportRequest } from "./model/support_request.ts";

/** How often a key that expires between two looks is tried again. */
const MAX_CLAIM_ATTEMPTS = 3;

/**
 * Stores a support request, then hands it off if that was asked. Resolves when the handoff is
 * settled, whether or not anybody still waits for it.
 *
 * @throws {StoreUnavailableError} The request may have been stored, and nothing was sent to the desk.
 */
export function submit(deps: Dependencies, command: SubmitCommand): Promise<SubmitResult> {
  const began = deps.clock.elapsed();
  const now = deps.clock.now();
  const reference = deps.generateReference(now);
  const handoff = initialHandoff(deps, command.submission.handoff, reference, now);
  if (handoff === null) return replayOrReject(deps, command, now);

  const { handoff: _, ...asked } = command.submission;
  const request: SupportRequest = {
    schema: 1,
    reference,
    context: command.context,
    ...asked,
    createdAt: toTimestamp(now),
    createdBy: command.actor,
    // Stored only if the desk is called, because whoever resumes the handoff may be someone else.
    ...handoff.status === "pending" && command.requestorEmail !== undefined && {
      requestorEmail: command.requestorEmail,
    },
    handoff,
  };
  // Under way from before it is stored: once it is, a repeat of it must not take it for interrupted.
  return deps.inFlight.run(
    reference,
    began,
    () => storeAndRunHandoff(deps, request, command, began),
  );
}

/** What is no ticket of the desk may have been one when the same was submitted first. */
async function replayOrReject(
  deps: Dependencies,
  command: SubmitCommand,
  now: number,
): Promise<SubmitResult> {
  const { requestId, context: { tenantId } } = command;
  const claim = await buildKeyClaim(command, toTimestamp(now));
  const lookup = claim && await deps.store.findKey(claim);
  return lookup?.outcome === "taken"
    ? await replayOrResume(deps, lookup, command, claim!, { requestId, tenantId })
    : { outcome: "not_a_ticket" };
}

/** Few functions wait while the desk is asked: each keeps its memory for as long. */
async function storeAndRunHandoff(
  deps: Dependencies,
  request: SupportRequest,
  command: SubmitCommand,
  began: number,
): Promise<SubmitResult> {
  const { requestId, context: { tenantId } } = command;
  const fields = { requestId, tenantId, reference: request.reference };
  const claim = await buildKeyClaim(command, request.createdAt);
  const result = await claimAndAppend(deps, request, claim);
  if (result.outcome === "taken") return replayOrResume(deps, result, command, claim!, fields);
  const { stored } = result;
  const { handoff } = stored.request;
  const outcome = handoff.status === "failed" ? handoff.reason : handoff.status;
  deps.log.info("request_stored", "Stored the support request", { ...fields, outcome });
  return {
    outcome: "submitted",
    request: handoff.status === "pending"
      ? await runHandoff(deps, stored, began, fields)
      : stored.request,
    replayed: false,
  };
}

/** The handoff as the first commit stores it, or null where the ticket to link is none. */
function initialHandoff(
  { desk, deskTimeoutMs }: Dependencies,
  choice: HandoffChoice,
  reference: Reference,
  now: number,
): StoredHandoff | null {
  if (choice.mode === "none") return { status: "none" };
  const at = toTimestamp(now);
  if (choice.mode === "link") {
    const ticket = desk?.resolveTicket(choice.ticket) ?? null;
    return ticket && { status: "linked", ticket, at };
  }
  if (desk !== null) {
    const until = toTimestamp(handoffDeadline(now, deskTimeoutMs));
    return { status: "pending", since: at, until };
  }
  const failure = { reason: "desk_not_configured", ticketMayExist: false } as const;
  return { status: "failed", ...failure, summary: failureSummary(failure, "", reference), at };
}

/** The idempotency key as it is written with the request, where the submission has one. */
async function buildKeyClaim(
  { context, actor, submission, idempotencyKey }: SubmitCommand,
  createdAt: string,
): Promise<KeyClaim | undefined> {
  return idempotencyKey === undefined ? undefined : {
    tenantId: context.tenantId,
    actorId: actor.id,
    key: idempotencyKey,
    fingerprint: await fingerprint(context, submission),
    expiresAt: Date.parse(createdAt) + KEY_LIFETIME_MS,
    replaces: null,
  };
}

/** The first commit, or the request that had the key before. */
async function claimAndAppend(
  { store }: Dependencies,
  request: SupportRequest,
  claim?: KeyClaim,
): Promise<
  Extract<AppendResult, { outcome: "stored" }> | Extract<KeyLookup, { outcome: "taken" }>
> {
  // The key is claimed before it is looked up: nearly every key is new, and the claim says so.
  for (let attempt = 0; attempt < MAX_CLAIM_ATTEMPTS; attempt++) {
    const appended = await store.append(request, claim);
    if (appended.outcome === "stored") return appended;
    if (claim === undefined) throw new Error("a key was taken that nobody claimed");
    const lookup = await store.findKey(claim);
    if (lookup.outcome === "taken") return lookup;
    claim.replaces = lookup.versionstamp;
  }
  throw new StoreUnavailableError("The idempotency key changed at every look");
}
