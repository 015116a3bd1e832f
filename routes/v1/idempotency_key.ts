import { IDEMPOTENCY_KEY } from "../../domain/model/idempotency.ts";

export const IDEMPOTENCY_KEY_RULE =
  "The header Idempotency-Key must be 1 to 255 visible ASCII characters, such as a UUID. Send it " +
  'unquoted, or in quotes with \\" and \\\\ for a quote and a backslash';

const STRING = String.raw`"((?:[ !#-\[\]-~]|\\["\\])*)"`;
const BARE_ITEM = [
  String.raw`-?\d{1,15}(?:\.\d{1,3})?`,
  STRING.replace("((", "(?:("),
  String.raw`[A-Za-z*][\w!#$%&'*+.^\x60|~:/-]*`,
  String.raw`:[A-Za-z0-9+/=]*:`,
  String.raw`\?[01]`,
].join("|");
const PARAMETER = String.raw`; *[a-z*][a-z0-9_.*-]*(?:=(?:${BARE_ITEM}))?`;
/** A structured-field string (RFC 8941, 3.3.3). Its parameters are ignored. */
const QUOTED = new RegExp(`^${STRING}(?: *${PARAMETER})*$`);

/**
 * Parses the header `Idempotency-Key`. A quoted key (a structured-field string, RFC 8941, as in the
 * IETF draft) is the same key as the unquoted one. Returns null if the key is malformed.
 */
export function parseIdempotencyKey(header: string): string | null {
  const key = header.startsWith('"') ? unquote(header) : header;
  return key !== null && IDEMPOTENCY_KEY.test(key) ? key : null;
}

function unquote(header: string): string | null {
  const text = QUOTED.exec(header)?.[1];
  return text === undefined ? null : text.replaceAll(/\\(["\\])/g, "$1");
}
