const JSON_ESSENCE = /^\s*application\/(?:[\w.!#$&^-]+\+)?json\s*(?=;|$)/i;
/** One parameter (RFC 9110, 5.6.6). A quoted value may contain a semicolon. */
const PARAMETER = /;\s*([^\s;="]*)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^;"]*))?\s*/gy;
/** Encodings whose bytes are UTF-8. US-ASCII is a subset of it. */
const UTF_8 = /^(?:utf-?8|us-ascii|ascii)?$/i;

/**
 * Returns whether a `Content-Type` is JSON: `application/json`, or a type with the suffix
 * `+json`. Parameters are ignored, because RFC 8259 defines none, except a `charset` other than
 * UTF-8: a body in that encoding could be valid UTF-8 and be stored as a different text.
 */
export function isJson(contentType: string): boolean {
  if (contentType === "application/json") return true;
  const essence = JSON_ESSENCE.exec(contentType);
  if (essence === null) return false;
  const parameters = contentType.slice(essence[0].length);
  for (const [, name, value = ""] of parameters.matchAll(PARAMETER)) {
    if (name!.toLowerCase() === "charset" && !UTF_8.test(unquoted(value))) return false;
  }
  return true;
}

function unquoted(value: string): string {
  return value.trim().replace(/^"(.*)"$/s, "$1").replaceAll(/\\(.)/gs, "$1").trim();
}
