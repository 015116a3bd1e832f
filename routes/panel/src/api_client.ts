/// <reference lib="dom" />
import { complain } from "./complain.ts";
import { isRecord } from "./parse.ts";
import type { FailureKind, GetToken } from "./types.ts";
import { TIMEOUT, within } from "./within.ts";

/** Timeout of one call, including the token, in milliseconds. */
const CALL_TIMEOUT_MS = 20_000;

/** Far above the largest response that the service sends. */
const MAX_RESPONSE_BYTES = 256 * 1024;

/** Used if a response asks for a delay without `Retry-After`, in seconds. */
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

/** Why a call failed, and everything that the panel says about it. */
export interface Failure {
  kind: FailureKind;
  status?: number;
  requestId?: string | null;
  /** Seconds until another attempt makes sense; counted down. */
  retryIn?: number;
  /** JSON Pointers of the fields that the service rejected. */
  pointers: unknown[];
}

export interface Call<T> {
  url: string;
  method?: "GET" | "POST";
  /** The HTTP status of success. */
  expected: number;
  body?: string;
  idempotencyKey?: string;
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
  const { url, method, expected, body, idempotencyKey, getToken, parse } = call;
  const controller = new AbortController();
  const { signal } = controller;
  // The kind of what fails next.
  let kind: FailureKind = "token";
  const exchange = async (): Promise<CallResult<T>> => {
    const token: unknown = await getToken();
    if (typeof token !== "string" || !token.trim()) {
      throw new Error("getToken returned no token");
    }
    const headers = new Headers({ Authorization: `Bearer ${token.trim()}` });
    if (body) headers.set("Content-Type", "application/json");
    if (idempotencyKey) headers.set("Idempotency-Key", idempotencyKey);
    kind = "unreachable";
    const response = await fetch(url, { method, headers, body, signal, credentials: "omit" });
    const json = await readJson(response);
    const value = response.status === expected && parse(json);
    return value ? { value } : { failure: toFailure(response, json) };
  };
  try {
    // A page's own `fetch` may ignore the signal.
    return await within(CALL_TIMEOUT_MS, exchange());
  } catch (error) {
    complain(error);
    if (kind !== "token") {
      if (error === TIMEOUT) kind = "timeout";
      else if (navigator.onLine === false) kind = "offline";
    }
    return { failure: { kind, pointers: [] } };
  } finally {
    controller.abort();
  }
}

/** Returns the body's JSON; undefined if it is none, or too large to be one of the service's. */
async function readJson(response: Response): Promise<unknown> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (let size = 0; reader && size <= MAX_RESPONSE_BYTES;) {
    const { value } = await reader.read();
    if (!value) break;
    size += value.length;
    text += decoder.decode(value, { stream: true });
  }
  try {
    return JSON.parse(text);
  } catch {
    // What is left of the body ends with the signal.
  }
}

function toFailure({ status, headers }: Response, json: unknown): Failure {
  const kind = KINDS[status] ??
    (status >= 500 ? "serverError" : status >= 400 ? "rejected" : "malformed");
  const seconds = Math.ceil(Number(headers.get("Retry-After"))) || DEFAULT_RETRY_SECONDS;
  const isDelayed = kind === "conflict" || kind === "rateLimited";
  const errors: unknown[] = isRecord(json) && Array.isArray(json.errors) ? json.errors : [];
  return {
    kind,
    status,
    requestId: headers.get("X-Request-Id"),
    retryIn: isDelayed ? Math.min(Math.max(seconds, 1), MAX_RETRY_SECONDS) : 0,
    pointers: errors.map((error) => isRecord(error) && error.pointer),
  };
}
