import type { Dependencies } from "./dependencies.ts";
import { resume, type ResumeResult } from "./handoff/resume.ts";
import type { SupportContext } from "./model/context.ts";
import type { Actor } from "./model/support_request.ts";

export interface ResumeCommand {
  context: SupportContext;
  /** The caller, whom the audit event of the finalization records. */
  actor: Actor;
  requestId: string;
}

/**
 * Resumes the handoff of the latest request of a context if it was interrupted. Needs no
 * idempotency key, so that an interrupted handoff does not depend on the client that submitted it.
 *
 * @throws {StoreUnavailableError}
 */
export async function resumeLatest(
  deps: Dependencies,
  { context, actor, requestId }: ResumeCommand,
): Promise<ResumeResult | { outcome: "no_request" }> {
  const stored = await deps.store.latest(context);
  if (stored === null) return { outcome: "no_request" };
  const fields = { requestId, tenantId: context.tenantId };
  return await resume(deps, stored, { actor, fields });
}
