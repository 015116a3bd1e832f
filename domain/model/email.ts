import * as z from "zod";
import { cleanSingleLine, countCharacters, optional } from "./text.ts";

const MAX_LENGTH = 254;
const RULE = "must be an email address such as ada@example.com";

/**
 * An internationalized domain name: letters, marks, digits, joiners, hyphens and dots of all kinds.
 */
const INTERNATIONAL_DOMAIN = /^[\p{L}\p{M}\p{N}\u200c\u200d.\u3002\uff0e\uff61-]+$/u;

/**
 * Invisible characters, which are copied with an address from mail programs, address books and web
 * pages. Joiners between non-ASCII letters are not removed, because some domains need them.
 */
const INVISIBLE =
  /[[\p{DI}]--[\u200c\u200d]]|(?<!\P{ASCII})[\u200c\u200d]|[\u200c\u200d](?!\P{ASCII})/gv;

/**
 * An email address as browsers validate it (HTML Living Standard, `input type=email`), so that what
 * a form accepts is not rejected here: `r&d@acme.example` and `ada@intranet` are valid. As in
 * browsers, an internationalized domain is converted to ASCII (`ada@xn--bcher-kva.example`): every
 * mail program and Request Tracker accept that form, and it reveals letters that imitate others.
 * Invisible characters are removed, because nobody could see why they were rejected. Absent if
 * `null` or blank.
 */
export const Email = email((text) => cleanSingleLine(text.replace(INVISIBLE, "")));

/**
 * A verified email address. Nothing within it is removed, because without an invisible character it
 * could be somebody else's address.
 */
export const VerifiedEmail = email((text) => text.trim());

function email(clean: (text: string) => string) {
  return optional(
    z.string().overwrite((text) => withAsciiDomain(clean(text)))
      .refine((text) => countCharacters(text) <= MAX_LENGTH, {
        error: `must be at most ${MAX_LENGTH} characters`,
        abort: true,
      })
      .regex(z.regexes.html5Email, RULE)
      .meta({ format: "email", maxLength: MAX_LENGTH }),
  );
}

function withAsciiDomain(email: string): string {
  const at = email.lastIndexOf("@") + 1;
  const domain = email.slice(at);
  if (at === 0 || !INTERNATIONAL_DOMAIN.test(domain) || /^\p{ASCII}*$/u.test(domain)) return email;
  const host = URL.parse(`http://${domain}`)?.hostname;
  return host === undefined ? email : email.slice(0, at) + host;
}
