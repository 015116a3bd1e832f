/** User information: everything up to the last `@` of the authority (RFC 3986, 3.2.1). */
const USER_INFORMATION = /^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i;
const QUERY = /\?.*$/s;

/** Returns a text, which may be a URL, as it may be shown: without user information and query. */
export function redactUrl(text: string): string {
  return text.replace(USER_INFORMATION, "$1…@").replace(QUERY, "?…");
}
