import type { SupportContext } from "./context.ts";
import { sha256 } from "../digest.ts";
import type { Submission } from "./submission.ts";

/** An idempotency key is kept for 24 hours. */
export const KEY_LIFETIME_MS = 24 * 60 * 60 * 1000;

/** 1 to 255 visible ASCII characters. */
export const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

/**
 * The version of fingerprints, stored beside each. It rises with every change in what cleaning makes
 * of a submission, because that changes the fingerprint of one and the same body.
 *
 * - 1: of the submission as it was sent, but for blanks around `summary`. Stored without a version.
 * - 2: of the cleaned submission. A body that is clean already has the same one in both, so that a
 *   process of version 1 recognizes the retry of what one of version 2 stored, and the reverse.
 */
export const FINGERPRINT_VERSION = 2;

/**
 * Returns the SHA-256, in hex, of what is requested and where: equal for equal submissions, whatever
 * the order of their fields and whether defaults were spelled out.
 */
export function fingerprint(context: SupportContext, submission: Submission): Promise<string> {
  const { diagnostics = {}, ...fields } = submission;
  // All other fields have the order of their schema.
  const entries = Object.entries(diagnostics).sort(([a], [b]) => a < b ? -1 : 1);
  return sha256(JSON.stringify([context, fields, entries]), "hex");
}
