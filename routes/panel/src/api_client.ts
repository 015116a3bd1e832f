/// <reference lib="dom" />
import { logError } from "./log_error.ts";
import { isRecord, textIn } from "./parse.ts";
import type { FailureKind, GetToken } from "./types.ts";
import { TIMEOUT, within } from "./within.ts";

/** Timeout of one call, including the token, in milliseconds. */
const CALL_TIMEOUT_MS = 20_000;

/** Far above the largest response that the service sends. */
const MAX_RESPONSE_BYTES = 256 * 1024;

/** The default for a `Retry-After` that is not a number, such as a date, in seconds. */
const DEFAULT_RETRY_SECONDS = 5;
/** The longest that the panel makes a person wait before they may try again, in seconds. */
const MAX_RETRY_SECONDS = 120;

const KINDS: Record<number, FailureKind> = {
  401: "unauthorized",
  403: "forbidden",
  404: "notFound",
  409: "conflict",
  413: "tooLarge",
  429: "rateLimited",
};

/** Failures of other servers after which the service may have stored a submission. */
const UNCERTAIN = ["malformed", "conflict", "serverError"];

/** Why a call failed, and everything that the panel says about it. */
export interface Failure {
  kind: FailureKind;
  status?: number;
  requestId?: string | null;
  /** Seconds until another attempt makes sense, if the response says so; counted down. */
  retryIn?: number;
  /** Whether the service may have stored a submission nevertheless. */
  mayBeStored?: boolean;
  /** JSON Pointers of the fields that the service rejected. */
  pointers?: string[];
}

export interface Call<T> {
  url: string;
  method: string;
  headers?: Record<string, string>;
  body?: string;
  getToken: GetToken;
  /** Returns the response's value, or null if it has another shape. */
  parse(json: unknown): T | null;
}

export interface CallResult<T> {
  value?: T;
  failure?: Failure;
}

/** Calls the service. Never rejects, and always ends within {@linkcode CALL_TIMEOUT_MS}. */
export async function callService<T>(call: Call<T>): Promise<CallResult<T>> {
  const { url, method, body, getToken, parse } = call;
  const controller = new AbortController();
  const { signal } = controller;
  // The kind of what fails next.
  let kind: FailureKind = "token";
  const exchange = async (): Promise<CallResult<T>> => {
    const token: unknown = await getToken();
    if (typeof token !== "string" || !token.trim()) {
      throw new Error("getToken returned no token");
    }
    const headers = new Headers({ ...call.headers, Authorization: `Bearer ${token.trim()}` });
    kind = "unreachable";
    const response = await fetch(url, {
      method,
      headers,
      body,
      signal,
      credentials: "omit",
      // Following one would send the token and the request to another URL.
      redirect: "manual",
    });
    if (response.type === "opaqueredirect") logError(`${url} redirects. Use the URL behind it`);
    const json = await readJson(response);
    const value = response.ok && parse(json);
    return value ? { value } : { failure: toFailure(response, json) };
  };
  try {
    // A page's own `fetch` may ignore the signal.
    return await within(CALL_TIMEOUT_MS, exchange());
  } catch (error) {
    logError(error);
    const mayBeStored = kind !== "token";
    if (mayBeStored) {
      if (error === TIMEOUT) kind = "timeout";
      else if (navigator.onLine === false) kind = "offline";
    }
    return { failure: { kind, mayBeStored } };
  } finally {
    controller.abort();
  }
}

/** Returns the body's JSON; undefined if it is none, or too large to be one of the service's. */
async function readJson(response: Response): Promise<unknown> {
  const reader = response.body?.getReader();
  const chunks = [];
  for (let size = 0; reader && size <= MAX_RESPONSE_BYTES;) {
    const { value } = await reader.read();
    if (!value) break;
    size += value.length;
    chunks.push(value);
  }
  try {
    return JSON.parse(await new Blob(chunks).text());
  } catch {
    // What is left of the body ends with the signal.
  }
}

/** Returns what an unsuccessful response means. */
export function toFailure({ status, headers }: Response, json: unknown): Failure {
  const slug = textIn(json, "type").split("/").pop();
  const stored = textIn(json, "stored");
  const kind: FailureKind = slug === "overloaded"
    ? slug
    : KINDS[status] ?? (status >= 500 ? "serverError" : status >= 400 ? "rejected" : "malformed");
  const delay = headers.get("Retry-After");
  const seconds = Math.ceil(Number(delay)) || DEFAULT_RETRY_SECONDS;
  return {
    kind,
    status,
    requestId: headers.get("X-Request-Id"),
    retryIn: delay === null ? 0 : Math.min(Math.max(seconds, 1), MAX_RETRY_SECONDS),
    mayBeStored: stored ? stored !== "no" : UNCERTAIN.includes(kind),
    pointers: isRecord(json) && Array.isArray(json.errors)
      ? json.errors.map((error) => textIn(error, "pointer"))
      : undefined,
  };
}
