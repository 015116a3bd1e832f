import { decodeTime, ulid } from "ulid";
import { z } from "zod";

/** `SR-` and a ULID: what a person quotes, and what the desk's ticket carries. */
export const Reference = z.string().regex(/^SR-[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
export type Reference = z.infer<typeof Reference>;

/** A new reference for a request that is made at `now` (milliseconds since the epoch). */
export function mintReference(now: number): Reference {
  return `SR-${ulid(now, random)}`;
}

const bytes = new Uint8Array(1024);
let left = 0;

/** From 0 to less than 1. ulid's own asks the system for each of sixteen characters. */
function random(): number {
  if (left === 0) {
    crypto.getRandomValues(bytes);
    left = bytes.length;
  }
  return bytes[--left]! / 256;
}

/** When the request was made, in milliseconds since the epoch. */
export function mintedAt(reference: Reference): number {
  return decodeTime(reference.slice("SR-".length));
}
