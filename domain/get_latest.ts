import type { SupportContext } from "./model/context.ts";
import type { Dependencies } from "./dependencies.ts";
import { withInterruption } from "./handoff/timeouts.ts";
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
 * @throws {StoreUnavailableError}
 */
export async function getLatest(
  deps: Dependencies,
  context: SupportContext,
): Promise<ContextSummary> {
  const { store, desk, log } = deps;
  const stored = await store.latest(context);
  if (stored?.isNewer) {
    const { tenantId } = context;
    warnOfNewerRecord(log, { tenantId, reference: stored.request.reference });
  }
  return {
    desk: desk && { label: desk.label },
    handoffModes: desk ? HANDOFF_MODES : ["none"],
    supportRequest: stored && present(deps, stored.request),
  };
}

/** What is under way here is not interrupted, whatever the clock says. */
function present({ clock, inFlight }: Dependencies, request: SupportRequest) {
  return inFlight.has(request.reference) ? request : withInterruption(request, clock.now());
}
