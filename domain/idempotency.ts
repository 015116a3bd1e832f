import type { Context } from "./context.ts";
import { sha256 } from "./digest.ts";
import type { Submission } from "./submission.ts";

/** An idempotency key is kept for 24 hours. */
export const KEY_LIFETIME_MS = 24 * 60 * 60 * 1000;

/** 1 to 255 visible ASCII characters. */
export const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

/**
 * The SHA-256 of what is asked and where, in hex: equal for equal submissions, whatever the order
 * of their fields and whether defaults were spelled out.
 */
export function fingerprint(context: Context, submission: Submission): Promise<string> {
  const { diagnostics = {}, ...fields } = submission;
  // All other fields have the order of their schema.
  const entries = Object.entries(diagnostics).sort(([a], [b]) => a < b ? -1 : 1);
  return sha256(JSON.stringify([context, fields, entries]), "hex");
}
