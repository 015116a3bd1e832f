import type { Context } from "./model/context.ts";
import type { Deskhand } from "./dependencies.ts";
import { asRead } from "./handoff/timeouts.ts";
import { warnOfNewerRecord } from "./newer_record.ts";
import { HANDOFF_MODES, type HandoffMode } from "./model/submission.ts";
import type { SupportRequest } from "./model/support_request.ts";

/** All that the place where a person asks for help needs to know when it opens. */
export interface ContextSummary {
  desk: { label: string } | null;
  handoffModes: readonly HandoffMode[];
  supportRequest: SupportRequest | null;
}

/**
 * What a context's own people see: the desk, what they can ask of it, and the latest request.
 *
 * @throws {StoreUnavailable}
 */
export async function latest(deskhand: Deskhand, context: Context): Promise<ContextSummary> {
  const { store, desk, log } = deskhand;
  const stored = await store.latest(context);
  if (stored?.isNewer) {
    const { tenantId } = context;
    warnOfNewerRecord(log, { tenantId, reference: stored.request.reference });
  }
  return {
    desk: desk && { label: desk.label },
    handoffModes: desk ? HANDOFF_MODES : ["none"],
    supportRequest: stored && read(deskhand, stored.request),
  };
}

/** What is under way here is not interrupted, whatever the clock says. */
function read({ clock, underWay }: Deskhand, request: SupportRequest) {
  return underWay.has(request.reference) ? request : asRead(request, clock.now());
}
