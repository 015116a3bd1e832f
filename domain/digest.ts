import { createHash } from "node:crypto";

/**
 * Returns the SHA-256 of `text`. Uses `node:crypto`, because Web Crypto hands each digest to
 * another thread, which takes thirty times as long. Its import takes as long as half of a start, so the
 * modules of the first response must not import this one.
 */
export function sha256(text: string, encoding: "hex" | "base64url"): string {
  return createHash("sha256").update(text).digest(encoding);
}
