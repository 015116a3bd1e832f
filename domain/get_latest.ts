import type { Dependencies } from "./dependencies.ts";
import { withInterruption } from "./handoff/timeouts.ts";
import type { SupportContext } from "./model/context.ts";
import { HANDOFF_MODES, type HandoffMode } from "./model/submission.ts";
import type { SupportRequest } from "./model/support_request.ts";
import { warnOfNewerRecord } from "./newer_record.ts";

/** Everything that the panel needs when it opens. */
export interface ContextSummary {
  /** Null if no desk is configured. */
  desk: { label: string } | null;
  handoffModes: readonly HandoffMode[];
  /** The latest request of the context, or null. */
  supportRequest: SupportRequest | null;
}

/**
 * Returns the summary of a context: the desk, the available handoff modes and the latest request.
 * An interrupted handoff is presented as failed; nothing is written.
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
    supportRequest: stored && presentRequest(deps, stored.request),
  };
}

/** A request in flight in this process is never interrupted, even if the clock has jumped. */
function presentRequest(
  { clock, inFlight }: Dependencies,
  request: SupportRequest,
): SupportRequest {
  return inFlight.has(request.reference) ? request : withInterruption(request, clock.now());
}
