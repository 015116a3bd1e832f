import type { Context } from "./context.ts";
import type { Submission } from "./submission.ts";

/** An idempotency key is kept for 24 hours. */
export const KEY_LIFETIME_MS = 24 * 60 * 60 * 1000;

/** 1 to 255 visible ASCII characters. */
export const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

/**
 * The SHA-256 of what is asked and where, in hex: equal for equal submissions, whatever the order
 * of their fields and whether defaults were spelled out.
 */
export async function fingerprint(context: Context, submission: Submission): Promise<string> {
  const canonical = JSON.stringify([context, submission], (_, value) => {
    if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
    return Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1);
  });
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(canonical));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
