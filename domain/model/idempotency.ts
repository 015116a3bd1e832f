import { sha256 } from "../digest.ts";
import type { SupportContext } from "./context.ts";
import type { Submission } from "./submission.ts";

/** How long a stored idempotency key is valid: 24 hours. */
export const KEY_LIFETIME_MS = 24 * 60 * 60 * 1000;

/** 1 to 255 visible ASCII characters. */
export const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

/**
 * The version of the fingerprint, stored with it. Increase it with every change to cleaning,
 * because such a change gives the same body another fingerprint.
 *
 * - 1: of the submission as sent, except for white space around `summary`. Stored without a
 *   version.
 * - 2: of the cleaned submission. A body that needs no cleaning has the same fingerprint in both,
 *   so that processes of versions 1 and 2 recognize a retry of what the other stored.
 */
export const FINGERPRINT_VERSION = 2;

/**
 * Returns the SHA-256 of the submission and its context, in hex. It does not depend on the order of
 * fields, nor on whether defaults were sent explicitly.
 */
export function fingerprint(context: SupportContext, submission: Submission): string {
  // The schema has already put all other fields in order. JSON has no undefined field.
  const fields = { ...submission, diagnostics: undefined };
  const entries = Object.entries(submission.diagnostics ?? {}).sort(([a], [b]) => a < b ? -1 : 1);
  return sha256(JSON.stringify([context, fields, entries]), "hex");
}
