import type { Dependencies } from "./dependencies.ts";
import { resume } from "./handoff/resume.ts";
import type { LogFields } from "./ports/log.ts";
import type { KeyClaim, KeyLookup } from "./ports/store.ts";
import { isSameSubmission } from "./same_submission.ts";
import type { SubmitCommand, SubmitResult } from "./submit_result.ts";

/**
 * Handles a submission whose idempotency key is already in use: returns the stored request, after
 * resuming its handoff if that was interrupted, or rejects a different submission.
 *
 * @throws {StoreUnavailableError}
 */
export async function replayOrResume(
  deps: Dependencies,
  taken: Extract<KeyLookup, { outcome: "taken" }>,
  command: SubmitCommand,
  claim: KeyClaim,
  fields: LogFields,
): Promise<SubmitResult> {
  if (!isSameSubmission(taken, command, claim.fingerprint)) return { outcome: "key_reused" };
  const result = await resume(deps, taken.stored, { actor: command.actor, fields });
  return result.outcome === "done"
    ? { outcome: "submitted", request: result.request, replayed: true }
    : result;
}
