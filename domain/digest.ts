let hashing: Promise<typeof import("node:crypto")> | undefined;

/**
 * SHA-256. Not Web Crypto, which leaves the thread for each digest: that takes thirty times as long.
 * Loaded when it is first needed, because that takes as long as the half of a start.
 */
export async function sha256(text: string, encoding: "hex" | "base64url"): Promise<string> {
  const { createHash } = await (hashing ??= import("node:crypto"));
  return createHash("sha256").update(text).digest(encoding);
}
