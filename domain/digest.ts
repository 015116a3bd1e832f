let nodeCrypto: Promise<typeof import("node:crypto")> | undefined;

/**
 * Returns the SHA-256 of `text`. Uses `node:crypto`, because Web Crypto hands each digest to
 * another thread, which takes thirty times as long. Imported lazily, because the import takes as
 * long as half of a start.
 */
export async function sha256(text: string, encoding: "hex" | "base64url"): Promise<string> {
  const { createHash } = await (nodeCrypto ??= import("node:crypto"));
  return createHash("sha256").update(text).digest(encoding);
}
