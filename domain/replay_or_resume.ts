import type { Dependencies } from "./dependencies.ts";
import type { KeyClaim, KeyLookup } from "./ports/store.ts";
import type { LogFields } from "./ports/log.ts";
import { resume } from "./handoff/resume.ts";
import { isSameSubmission } from "./same_submission.ts";
import type { SubmitCommand, SubmitResult } from "./submit_result.ts";

/**
 * Returns the result of a submission whose key is taken: the stored request, resumed if its handoff
 * was interrupted, or a rejection.
 */
export async function replayOrResume(
  deps: Dependencies,
  taken: Extract<KeyLookup, { outcome: "taken" }>,
  command: SubmitCommand,
  claim: KeyClaim,
  fields: LogFields,
): Promise<SubmitResult> {
  if (!await isSameSubmission(taken, command, claim.fingerprint)) return { outcome: "key_reused" };
  const result = await resume(deps, taken.stored, command.actor, fields);
  return result.outcome === "done"
    ? { outcome: "submitted", request: result.request, replayed: true }
    : result;
}
