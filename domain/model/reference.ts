import { z } from "zod";

/** `SR-` and a ULID: what a person quotes, and what the desk's ticket carries. */
export const Reference = z.string().regex(/^SR-[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
export type Reference = z.infer<typeof Reference>;

/** Crockford's Base32, as a ULID has it (https://github.com/ulid/spec). */
const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const TIME_DIGITS = 10;
const RANDOM_DIGITS = 16;

/** A new reference for a request that is made at `now` (milliseconds since the epoch). */
export function generateReference(now: number): Reference {
  let time = "";
  for (let rest = now; time.length < TIME_DIGITS; rest = Math.floor(rest / 32)) {
    time = DIGITS[rest % 32] + time;
  }
  let random = "";
  // 32 divides 256, so that each digit is as likely as any other.
  for (const byte of crypto.getRandomValues(new Uint8Array(RANDOM_DIGITS))) {
    random += DIGITS[byte % 32];
  }
  return `SR-${time}${random}`;
}
