import type { Dependencies } from "./dependencies.ts";
import { runHandoff } from "./handoff/run.ts";
import { handoffDeadline } from "./handoff/timeouts.ts";
import { failedHandoff, type StoredHandoff, toTimestamp } from "./model/handoff.ts";
import { fingerprint, KEY_LIFETIME_MS } from "./model/idempotency.ts";
import type { Reference } from "./model/reference.ts";
import type { HandoffChoice } from "./model/submission.ts";
import type { SupportRequest } from "./model/support_request.ts";
import { warnOfNewerRecord } from "./newer_record.ts";
import type { LogFields } from "./ports/log.ts";
import {
  type AppendResult,
  type KeyClaim,
  type KeyLookup,
  StoreUnavailableError,
} from "./ports/store.ts";
import { replayOrResume } from "./replay_or_resume.ts";
import type { SubmitCommand, SubmitResult } from "./submit_result.ts";

/** How often to claim a key whose record expires or changes between the claim and the lookup. */
const MAX_CLAIM_ATTEMPTS = 3;

/**
 * Stores a support request, then hands it off if requested. Runs to completion even if the client
 * disconnects.
 *
 * @throws {StoreUnavailableError} The request may have been stored; nothing was sent to the desk.
 */
export function submit(deps: Dependencies, command: SubmitCommand): Promise<SubmitResult> {
  const startedAt = deps.clock.elapsed();
  const now = deps.clock.now();
  const reference = deps.generateReference(now);
  const handoff = initialHandoff(deps, command.submission.handoff, reference, now);
  if (handoff === null) return replayOrReject(deps, command, now);

  const request = toSupportRequest(command, reference, handoff, now);
  // In flight before it is stored, so that a concurrent retry cannot mistake it for interrupted.
  return deps.inFlight.run(
    reference,
    startedAt,
    () => storeAndRunHandoff(deps, request, command, startedAt),
  );
}

/** Returns the first state of the handoff, or null if the ticket to link is not one of the desk. */
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
  if (desk === null) {
    const failure = { reason: "desk_not_configured", ticketMayExist: false } as const;
    return failedHandoff(failure, "", reference, at);
  }
  return { status: "pending", since: at, until: toTimestamp(handoffDeadline(now, deskTimeoutMs)) };
}

function toSupportRequest(
  { context, actor, requestorEmail, submission }: SubmitCommand,
  reference: Reference,
  handoff: StoredHandoff,
  now: number,
): SupportRequest {
  return {
    schema: 1,
    reference,
    context,
    // The handoff below replaces the submission's choice.
    ...submission,
    createdAt: toTimestamp(now),
    createdBy: actor,
    // Stored only if the desk will be called: somebody else may resume the handoff.
    ...handoff.status === "pending" && requestorEmail !== undefined && { requestorEmail },
    handoff,
  };
}

/**
 * Handles a submission whose ticket is not one of the desk. It may have been one when the first
 * submission with this key was made: then its result is replayed.
 */
async function replayOrReject(
  deps: Dependencies,
  command: SubmitCommand,
  now: number,
): Promise<SubmitResult> {
  const { requestId, context: { tenantId } } = command;
  const claim = buildKeyClaim(command, toTimestamp(now));
  const lookup = claim && await deps.store.findKey(claim);
  switch (lookup?.outcome) {
    case "taken":
      return await replayOrResume(deps, lookup, command, claim!, { requestId, tenantId });
    case "unreadable":
      return rejectUnreadableKey(deps, { requestId, tenantId });
    default:
      return { outcome: "not_a_ticket" };
  }
}

/** Handles a submission whose key belongs to a request in a kind of context of a newer version. */
function rejectUnreadableKey({ log }: Dependencies, fields: LogFields): SubmitResult {
  warnOfNewerRecord(log, fields);
  return { outcome: "key_reused" };
}

/**
 * One function for both steps, because each suspended caller uses memory while the desk is called.
 */
async function storeAndRunHandoff(
  deps: Dependencies,
  request: SupportRequest,
  command: SubmitCommand,
  startedAt: number,
): Promise<SubmitResult> {
  const { requestId, context: { tenantId } } = command;
  const fields = { requestId, tenantId, reference: request.reference };
  const claim = buildKeyClaim(command, request.createdAt);
  const appending = claimAndAppend(deps, request, claim);
  command.onStoring?.(request);
  const result = await appending;
  if (result.outcome === "unreadable") return rejectUnreadableKey(deps, { requestId, tenantId });
  if (result.outcome === "taken") return replayOrResume(deps, result, command, claim!, fields);
  const { stored } = result;
  const { handoff } = stored.request;
  const outcome = handoff.status === "failed" ? handoff.reason : handoff.status;
  deps.log.info("request_stored", "Stored the support request", { ...fields, outcome });
  return {
    outcome: "submitted",
    request: handoff.status === "pending"
      ? await runHandoff(deps, stored, { startedAt, fields })
      : stored.request,
    replayed: false,
  };
}

/**
 * Returns the claim of the submission's idempotency key, if it has one, to store with the request.
 */
function buildKeyClaim(
  { context, actor, submission, idempotencyKey }: SubmitCommand,
  createdAt: string,
): KeyClaim | undefined {
  return idempotencyKey === undefined ? undefined : {
    tenantId: context.tenantId,
    actorId: actor.id,
    key: idempotencyKey,
    fingerprint: fingerprint(context, submission),
    expiresAt: Date.parse(createdAt) + KEY_LIFETIME_MS,
    replaces: null,
  };
}

/** Makes the first commit, or returns the earlier request that holds the idempotency key. */
async function claimAndAppend(
  { store }: Dependencies,
  request: SupportRequest,
  claim?: KeyClaim,
): Promise<
  Extract<AppendResult, { outcome: "stored" }> | Exclude<KeyLookup, { outcome: "free" }>
> {
  // Claims the key first and looks it up only on conflict: nearly every key is new.
  for (let attempt = 0; attempt < MAX_CLAIM_ATTEMPTS; attempt++) {
    const appended = await store.append(request, claim);
    if (appended.outcome === "stored") return appended;
    if (claim === undefined) throw new Error("The store reported a taken key without a claim");
    const lookup = await store.findKey(claim);
    if (lookup.outcome !== "free") return lookup;
    claim.replaces = lookup.versionstamp;
  }
  throw new StoreUnavailableError("The record of the idempotency key kept changing");
}
