/** Rejects invalid arguments before anything is sent, with errors that say what to correct. */
import { type CallErrorOptions, InvalidTokenError } from "./errors.ts";

/** Longer delays end immediately: timers have 32 bits. */
export const MAX_DELAY_MS = 2 ** 31 - 1;

/** The syntax of a bearer token (RFC 6750, section 2.1). */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;
/** The service's rule: see `domain/model/idempotency.ts`. */
const IDEMPOTENCY_KEY = /^[!-~]{1,255}$/;

/**
 * Returns the base URL without a slash at its end. A path such as `/support` is resolved against the
 * page's URL.
 *
 * @throws {TypeError} `fetch` would reject it, or it would name another path.
 */
export function parseBaseUrl(input: string | URL): string {
  const text = String(input).trim();
  const page = text.startsWith("/") ? globalThis.location?.href : undefined;
  const url = /[\s\p{Cc}]/u.test(text) ? null : parseUrl(text, page);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new TypeError(
      `url must be the service's URL, such as https://support.example${butIs(text)}`,
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw new TypeError("url must not contain a user name or password");
  }
  if (/[?#]/.test(url.href)) {
    throw new TypeError(`url must end with its path, without '?' or '#'${butIs(text)}`);
  }
  return url.href.replace(/\/+$/, "");
}

/** Not `URL.parse`, which browsers have only since 2024. */
function parseUrl(text: string, base: string | undefined): URL | null {
  try {
    return new URL(text, base);
  } catch {
    return null;
  }
}

/** @throws {TypeError} `value` is not a number from `min` that a timer can wait for. */
export function requireDelay(name: string, value: number, min: number): number {
  if (typeof value === "number" && value >= min && value <= MAX_DELAY_MS) return value;
  throw new TypeError(
    `${name} must be a number of milliseconds from ${min} to ${MAX_DELAY_MS}, but is ${value}`,
  );
}

/** @throws {TypeError} `value` is not a whole number of at least 1. */
export function requireCount(name: string, value: number): number {
  if (Number.isInteger(value) && value >= 1) return value;
  throw new TypeError(`${name} must be a whole number of at least 1, but is ${value}`);
}

/** @throws {TypeError} `value` is not a function. */
export function requireFunction<T>(name: string, value: T, purpose: string): T {
  if (typeof value === "function") return value;
  throw new TypeError(`${name} must be a function that ${purpose}, but is ${typeOf(value)}`);
}

/** @throws {TypeError} `value` is not an object, so it cannot be a submission. */
export function requireObject(name: string, value: unknown): void {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return;
  const what = Array.isArray(value) ? "an array" : typeOf(value);
  throw new TypeError(`${name} must be an object, but is ${what}`);
}

/** @throws {TypeError} The header cannot have this value, or the service rejects it. */
export function requireIdempotencyKey(key: string): string {
  if (typeof key === "string" && IDEMPOTENCY_KEY.test(key)) return key;
  throw new TypeError(
    "idempotencyKey must be 1 to 255 visible ASCII characters, such as a UUID",
  );
}

/**
 * Returns an ID as a segment of a path. `fetch` resolves `.` and `..`, encoded or not: the run `..`
 * would name the tenant's own context.
 *
 * @throws {TypeError} The path would be another one, or cannot be sent.
 */
export function pathSegment(name: string, id: string): string {
  if (typeof id !== "string") throw new TypeError(`${name} must be text, but is ${typeOf(id)}`);
  if (/^\.{0,2}$/.test(id)) throw new TypeError(`${name} must not be '${id}'`);
  if (/\p{Surrogate}/u.test(id)) throw new TypeError(`${name} must not contain half a character`);
  return encodeURIComponent(id);
}

/**
 * Returns what `getToken` returned, without white space around it. The error says what is wrong with
 * it and contains nothing of it.
 *
 * @throws {InvalidTokenError} No header can hold it.
 */
export function requireToken(value: unknown, options: CallErrorOptions): string {
  const token = typeof value === "string" ? value.trim() : null;
  if (token !== null && TOKEN.test(token)) return token;
  const message = `getToken must return a token, but returned ${describeToken(token, value)}`;
  throw new InvalidTokenError(message, options);
}

function describeToken(token: string | null, value: unknown): string {
  if (token === null) return typeOf(value);
  if (token === "") return "empty text. Is the user signed in?";
  if (/^bearer\s/i.test(token)) return "one with 'Bearer' before it. Return the token alone";
  if (/^["{[]/.test(token)) return "JSON. Return the token alone, without quotes";
  if (token.startsWith("<")) return "HTML. Check the URL of your token endpoint";
  return "text with characters that no token has, such as spaces or line breaks";
}

function typeOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return `a value of the type ${typeof value}`;
}

/** Returns the end of a message, which quotes the URL unless that may contain a password. */
function butIs(url: string): string {
  if (url.includes("@")) return "";
  return `, but is ${JSON.stringify(url.length > 200 ? `${url.slice(0, 200)}…` : url)}`;
}
