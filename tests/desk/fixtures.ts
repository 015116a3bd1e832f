import type { RequestTrackerSettings } from "../../desk/request_tracker.ts";
import type { SupportRequest } from "../../domain/model/support_request.ts";

export const REFERENCE = "SR-01K9ABCDEFGHJKMNPQRSTVWXYZ";
export const OTHER_REFERENCE = "SR-01K9ABCDEFGHJKMNPQRSTVWXYY";

export const settings: Omit<RequestTrackerSettings, "url"> = {
  token: "demo-token",
  queue: "Support",
  label: "Acme IT desk",
  referenceField: "SupportRef",
};

/** A support request of a run with all that one can have. */
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
