import * as z from "zod";

/** `SR-` and a ULID. Shown to users, and stored in the desk's ticket. */
export const Reference = z.string().regex(/^SR-[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
export type Reference = z.infer<typeof Reference>;

/** Crockford's Base32, as ULIDs use it (https://github.com/ulid/spec). */
const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const RANDOM_DIGITS = 16;

/** Random bytes for the next references: a call for many takes as long as a call for one. */
const randomBytes = new Uint8Array(64 * RANDOM_DIGITS);
let usedBytes = randomBytes.length;

/** Generates a reference for a request created at `now` (milliseconds since the epoch). */
export function generateReference(now: number): Reference {
  // In halves, because bitwise operators work with 32 bits.
  const time = fiveDigits(Math.floor(now / 2 ** 25)) + fiveDigits(now % 2 ** 25);
  if (usedBytes === randomBytes.length) {
    crypto.getRandomValues(randomBytes);
    usedBytes = 0;
  }
  let random = "";
  // 256 is a multiple of 32, so the digits are uniformly distributed.
  for (let i = 0; i < RANDOM_DIGITS; i++) random += DIGITS[randomBytes[usedBytes++]! % 32];
  return `SR-${time}${random}`;
}

/** Returns the five digits of an integer of 25 bits. */
function fiveDigits(value: number): string {
  let digits = "";
  for (let shift = 20; shift >= 0; shift -= 5) digits += DIGITS[(value >> shift) & 31];
  return digits;
}
