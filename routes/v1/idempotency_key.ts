import { IDEMPOTENCY_KEY } from "../../domain/model/idempotency.ts";

export const IDEMPOTENCY_KEY_RULE =
  "The header Idempotency-Key must be 1 to 255 visible ASCII characters, such as a UUID. Send it as " +
  'it is, or in quotes with \\" and \\\\ for a quote and a backslash in it';

const STRING = String.raw`"((?:[ !#-\[\]-~]|\\["\\])*)"`;
const BARE_ITEM = [
  String.raw`-?\d{1,15}(?:\.\d{1,3})?`,
  STRING.replace("((", "(?:("),
  String.raw`[A-Za-z*][\w!#$%&'*+.^\x60|~:/-]*`,
  String.raw`:[A-Za-z0-9+/=]*:`,
  String.raw`\?[01]`,
].join("|");
const PARAMETER = String.raw`; *[a-z*][a-z0-9_.*-]*(?:=(?:${BARE_ITEM}))?`;
/** A string with parameters, which are ignored (RFC 8941, 3.3). */
const QUOTED = new RegExp(`^${STRING}(?: *${PARAMETER})*$`);

/**
 * Parses the header `Idempotency-Key`. In quotes it is the string of the IETF draft (a structured
 * field, RFC 8941), and names the same key as without. Returns null if it is neither.
 */
export function parseIdempotencyKey(header: string): string | null {
  const key = header.startsWith('"') ? unquote(header) : header;
  return key !== null && IDEMPOTENCY_KEY.test(key) ? key : null;
}

function unquote(header: string): string | null {
  const text = QUOTED.exec(header)?.[1];
  return text === undefined ? null : text.replaceAll(/\\(["\\])/g, "$1");
}
