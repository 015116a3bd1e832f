import type { Context } from "./context.ts";
import type { Deskhand } from "./deskhand.ts";
import { failureSummary } from "./failure.ts";
import { type Handoff, timestamp } from "./handoff.ts";
import { fingerprint, KEY_LIFETIME_MS } from "./idempotency.ts";
import { type KeyClaim, type LogFields, type Stored, StoreUnavailable } from "./ports.ts";
import type { Reference } from "./reference.ts";
import { repeat } from "./repeat.ts";
import { settle } from "./settle.ts";
import type { HandoffChoice, Submission } from "./submission.ts";
import type { Actor, SupportRequest } from "./support_request.ts";

export interface SubmitCommand {
  context: Context;
  actor: Actor;
  submission: Submission;
  idempotencyKey?: string;
  requestId: string;
}

export type SubmitResult =
  | { outcome: "submitted"; request: SupportRequest; replayed: boolean }
  /** The ticket to link is not one of the configured desk. Nothing was stored. */
  | { outcome: "not_a_ticket" }
  /** The idempotency key belongs to another body or context. Nothing was stored. */
  | { outcome: "key_reused" }
  /** The first submission with this key is not settled yet. */
  | { outcome: "under_way"; retryAfterSeconds: number };

/** How often a key that expires between two looks is tried again. */
const MAX_CLAIMS = 3;

/**
 * Stores a support request, then hands it off if that was asked. Resolves when the handoff is
 * settled, whether or not anybody still waits for it.
 *
 * @throws {StoreUnavailable} The request may have been stored, and nothing was sent to the desk.
 */
export async function submit(deskhand: Deskhand, command: SubmitCommand): Promise<SubmitResult> {
  const began = deskhand.clock.elapsed();
  const now = deskhand.clock.now();
  const reference = deskhand.mintReference(now);
  const handoff = firstHandoff(deskhand, command.submission.handoff, reference, now);
  if (handoff === null) return { outcome: "not_a_ticket" };

  const { handoff: _, ...asked } = command.submission;
  const request: SupportRequest = {
    schema: 1,
    reference,
    context: command.context,
    ...asked,
    createdAt: timestamp(now),
    createdBy: command.actor,
    handoff,
  };
  const fields = { requestId: command.requestId, tenantId: command.context.tenantId, reference };
  const { idempotencyKey } = command;
  // Under way from before it is stored: once it is, a repeat of it must not take it for interrupted.
  return await deskhand.underWay.handOff(
    reference,
    () =>
      idempotencyKey === undefined
        ? submitOnce(deskhand, request, began, fields)
        : submitKeyed(deskhand, request, command, idempotencyKey, began, fields),
  );
}

/** The handoff as the first commit stores it, or null where the ticket to link is none. */
function firstHandoff(
  { desk }: Deskhand,
  choice: HandoffChoice,
  reference: Reference,
  now: number,
): Handoff | null {
  if (choice.mode === "none") return { status: "none" };
  const at = timestamp(now);
  if (choice.mode === "link") {
    const ticket = desk?.link(choice.ticket) ?? null;
    return ticket && { status: "linked", ticket, at };
  }
  if (desk !== null) return { status: "pending", since: at };
  const failure = { reason: "desk_not_configured", ticketMayExist: false } as const;
  return { status: "failed", ...failure, summary: failureSummary(failure, "", reference), at };
}

async function submitOnce(
  deskhand: Deskhand,
  request: SupportRequest,
  began: number,
  fields: LogFields,
): Promise<SubmitResult> {
  const appended = await deskhand.store.append(request);
  if (appended.outcome !== "stored") throw new Error("a key was taken that nobody claimed");
  return await submitted(deskhand, appended.stored, began, fields);
}

async function submitKeyed(
  deskhand: Deskhand,
  request: SupportRequest,
  command: SubmitCommand,
  key: string,
  began: number,
  fields: LogFields,
): Promise<SubmitResult> {
  const { store } = deskhand;
  const claim: KeyClaim = {
    tenantId: command.context.tenantId,
    actorId: command.actor.id,
    key,
    fingerprint: await fingerprint(command.context, command.submission),
    expiresAt: Date.parse(request.createdAt) + KEY_LIFETIME_MS,
    replaces: null,
  };
  // The key is claimed before it is looked up: nearly every key is new, and the claim says so.
  for (let attempt = 0; attempt < MAX_CLAIMS; attempt++) {
    const appended = await store.append(request, claim);
    if (appended.outcome === "stored") {
      return await submitted(deskhand, appended.stored, began, fields);
    }
    const lookup = await store.findKey(claim);
    if (lookup.outcome === "taken") return await repeat(deskhand, lookup, claim, fields);
    claim.replaces = lookup.versionstamp;
  }
  throw new StoreUnavailable("The idempotency key changed at every look");
}

async function submitted(
  deskhand: Deskhand,
  stored: Stored,
  began: number,
  fields: LogFields,
): Promise<SubmitResult> {
  const { status } = stored.request.handoff;
  deskhand.log.info("Stored the support request", { ...fields, outcome: status });
  const request = status === "pending"
    ? await settle(deskhand, stored, began, fields)
    : stored.request;
  return { outcome: "submitted", request, replayed: false };
}
