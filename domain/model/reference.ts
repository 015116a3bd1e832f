import * as z from "zod";

/** `SR-` and a ULID. Shown to users, and stored in the desk's ticket. */
export const Reference = z.string().regex(/^SR-[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
export type Reference = z.infer<typeof Reference>;

/** Crockford's Base32, as ULIDs use it (https://github.com/ulid/spec). */
const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const TIME_DIGITS = 10;
const RANDOM_DIGITS = 16;

/** Generates a reference for a request created at `now` (milliseconds since the epoch). */
export function generateReference(now: number): Reference {
  let time = "";
  for (let rest = now; time.length < TIME_DIGITS; rest = Math.floor(rest / 32)) {
    time = DIGITS[rest % 32] + time;
  }
  let random = "";
  // 256 is a multiple of 32, so the digits are uniformly distributed.
  for (const byte of crypto.getRandomValues(new Uint8Array(RANDOM_DIGITS))) {
    random += DIGITS[byte % 32];
  }
  return `SR-${time}${random}`;
}
