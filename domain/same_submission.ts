import { contextId, type SupportContext } from "./model/context.ts";
import type { Handoff } from "./model/handoff.ts";
import { fingerprint, FINGERPRINT_VERSION } from "./model/idempotency.ts";
import { type HandoffChoice, Submission } from "./model/submission.ts";
import type { KeyLookup } from "./ports/store.ts";

interface Retry {
  context: SupportContext;
  submission: Submission;
}

/**
 * Returns whether a retry repeats the first submission with its idempotency key. `retryFingerprint`
 * is the retry's. A fingerprint of another version may differ although the body is the same. The
 * stored request then decides, so that neither an upgrade nor a rolling deployment rejects a retry.
 */
export function isSameSubmission(
  taken: Extract<KeyLookup, { outcome: "taken" }>,
  { context, submission }: Retry,
  retryFingerprint: string,
): boolean {
  if (taken.fingerprint === retryFingerprint) return true;
  const { request } = taken.stored;
  switch (Math.sign(taken.fingerprintVersion - FINGERPRINT_VERSION)) {
    case 0:
      return false;
    case 1:
      // A newer version may clean and truncate text differently and have other fields, but it
      // preserves letters and digits. A key reused for another request has another summary.
      return contextId(request.context) === contextId(context) &&
        isPrefixOfOther(lettersAndDigits(request.summary), lettersAndDigits(submission.summary));
    default: {
      // An older version stored text as it was sent, so clean it now.
      const { summary, description, severity, contact, diagnostics } = request;
      const { handoff } = submission;
      const stored = { summary, description, severity, contact, diagnostics, handoff };
      const cleaned = Submission.safeParse(stored).data;
      return cleaned !== undefined && matchesChoice(handoff, request.handoff) &&
        fingerprint(request.context, cleaned) === retryFingerprint;
    }
  }
}

/** Compares with the state of the handoff, because the record does not contain the choice. */
function matchesChoice(choice: HandoffChoice, handoff: Handoff): boolean {
  switch (handoff.status) {
    case "none":
      return choice.mode === "none";
    case "linked":
      return choice.mode === "link" &&
        choice.ticket.match(/\d+/g)?.includes(handoff.ticket.reference) === true;
    default:
      return choice.mode === "create";
  }
}

function lettersAndDigits(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N}]+/gu, "");
}

/** Returns whether one text is a prefix of the other: either may have been truncated. */
function isPrefixOfOther(a: string, b: string): boolean {
  return a.startsWith(b) || b.startsWith(a);
}
