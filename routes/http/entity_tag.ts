import { sha256 } from "../../domain/digest.ts";

/** A strong entity tag (RFC 9110, 8.8.3): another one for every other text. */
export async function entityTag(text: string): Promise<string> {
  return `"${await sha256(text, "base64url")}"`;
}

/** Whether `If-None-Match` names the tag. The comparison is the weak one (RFC 9110, 13.1.2). */
export function matchesIfNoneMatch(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const names = ifNoneMatch.split(",").map((name) => name.trim().replace(/^W\//, ""));
  return names.includes(tag) || names.includes("*");
}
