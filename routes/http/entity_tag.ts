import { sha256 } from "../../domain/digest.ts";

/** Returns a strong entity tag (RFC 9110, 8.8.3), different for every different text. */
export function entityTag(text: string): string {
  return `"${sha256(text, "base64url")}"`;
}

/** Returns whether `If-None-Match` matches `tag`, by weak comparison (RFC 9110, 13.1.2). */
export function matchesIfNoneMatch(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const tags = ifNoneMatch.split(",").map((name) => name.trim().replace(/^W\//, ""));
  return tags.includes(tag) || tags.includes("*");
}
