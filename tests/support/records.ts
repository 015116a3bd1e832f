/** Records as the service stores them. */
import type { SupportContext } from "../../domain/model/context.ts";
import { type FinalHandoff, toTimestamp } from "../../domain/model/handoff.ts";
import { generateReference } from "../../domain/model/reference.ts";
import type { SupportRequest } from "../../domain/model/support_request.ts";
import type { KeyClaim } from "../../domain/ports/store.ts";
import { DAY_MS, START } from "./constants.ts";

export function requestIn(
  context: SupportContext,
  fields: Partial<SupportRequest> & { now?: number } = {},
): SupportRequest {
  const { now = START, ...rest } = fields;
  return {
    schema: 1,
    reference: generateReference(now),
    context,
    summary: "The printer is on fire",
    severity: "normal",
    createdAt: toTimestamp(now),
    createdBy: { id: "u-1" },
    handoff: { status: "none" },
    ...rest,
  };
}

export function pendingIn(context: SupportContext, now = START): SupportRequest {
  return requestIn(context, { now, handoff: { status: "pending", since: toTimestamp(now) } });
}

export function created(ticket: string, now = START): FinalHandoff {
  const url = `https://desk.example/Ticket/Display.html?id=${ticket}`;
  return { status: "created", ticket: { reference: ticket, url }, at: toTimestamp(now) };
}

export function claim(fields: Partial<KeyClaim> = {}): KeyClaim {
  return {
    tenantId: "acme",
    actorId: "u-1",
    key: "k-1",
    fingerprint: "f",
    expiresAt: START + DAY_MS,
    replaces: null,
    ...fields,
  };
}

export const REFERENCE = "SR-01K9ABCDEFGHJKMNPQRSTVWXYZ";

/** A pending support request of a run with every field that one can have. */
export function supportRequest(changes: Partial<SupportRequest> = {}): SupportRequest {
  return {
    schema: 1,
    reference: REFERENCE,
    context: { kind: "run", tenantId: "acme", runId: "r-1" },
    summary: "The printer is on fire",
    description: "It began at noon.\nThere is smoke.",
    severity: "high",
    contact: { name: "Ada Lovelace", email: "ada@example.com" },
    diagnostics: { version: "1.2.3", "last error": "E42" },
    createdAt: "2026-11-23T12:00:00.000Z",
    createdBy: { id: "u-1", name: "Ada" },
    handoff: { status: "pending", since: "2026-11-23T12:00:00.000Z" },
    ...changes,
  };
}
