import type { SupportContext } from "./model/context.ts";
import type { Handoff } from "./model/handoff.ts";
import { fingerprint, FINGERPRINT_VERSION } from "./model/idempotency.ts";
import type { KeyLookup } from "./ports/store.ts";
import { type HandoffChoice, Submission } from "./model/submission.ts";

interface Retry {
  context: SupportContext;
  submission: Submission;
}

/**
 * Returns whether a retry sends what was sent first with its idempotency key. `own` is the retry's
 * fingerprint. Those of another version may differ although the body is the same; then the stored
 * request itself decides, so that neither an upgrade nor a rolling deployment rejects a retry.
 */
export async function isSameSubmission(
  taken: Extract<KeyLookup, { outcome: "taken" }>,
  { context, submission }: Retry,
  own: string,
): Promise<boolean> {
  if (taken.fingerprint === own) return true;
  const { request } = taken.stored;
  switch (Math.sign(taken.fingerprintVersion - FINGERPRINT_VERSION)) {
    case 0:
      return false;
    case 1:
      // A newer version may clean otherwise, cut elsewhere and have other fields. It does not change
      // the letters, and a key that is reused for another request has another summary.
      return contextId(request.context) === contextId(context) &&
        isPrefix(lettersOf(request.summary), lettersOf(submission.summary));
    default: {
      // An older version stored text as it was sent, so it is cleaned here.
      const { summary, description, severity, contact, diagnostics } = request;
      const { handoff } = submission;
      const sent = { summary, description, severity, contact, diagnostics, handoff };
      const cleaned = Submission.safeParse(sent).data;
      return cleaned !== undefined && matchesChoice(handoff, request.handoff) &&
        await fingerprint(request.context, cleaned) === own;
    }
  }
}

/** The record has no choice of handoff, only what came of it. */
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

function contextId(context: SupportContext): string {
  return JSON.stringify([context.tenantId, context.kind === "run" ? context.runId : null]);
}

function lettersOf(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N}]+/gu, "");
}

/** Whether one is the beginning of the other, which may have been cut. */
function isPrefix(a: string, b: string): boolean {
  return a.startsWith(b) || b.startsWith(a);
}
