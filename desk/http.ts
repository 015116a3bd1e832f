import type { CallTrace, Phase, Responsiveness } from "../domain/ports/desk.ts";
import { phaseBeforeSending } from "./network_errors.ts";
import { readBody } from "./read_body.ts";

/**
 * The result of one HTTP request. `expired` and `not_sent` guarantee that not one byte of the
 * request was sent; after `timed_out` and `connection_lost`, the desk may have processed it.
 */
export type Exchange =
  /** The signal was aborted before the request started. */
  | { outcome: "expired" }
  | { outcome: "not_sent"; phase: Phase }
  | { outcome: "timed_out"; phase: Phase; status?: number }
  | { outcome: "connection_lost"; phase: Phase; status?: number }
  /** The response had the expected status and a JSON body. */
  | { outcome: "json"; status: number; json: unknown }
  /** The response had the expected status and a body that is not JSON or too long. */
  | { outcome: "unreadable"; status: number }
  /**
   * The response had another status. Its body is not read, because nothing in it could change what
   * happens next. `isJson` is taken from the response headers.
   */
  | { outcome: "unexpected_status"; status: number; isJson: boolean };

export interface OutboundRequest {
  url: string;
  method: "GET" | "POST";
  headers: Record<string, string>;
  body?: string;
  /** The only status whose body is read. */
  expectedStatus: number;
}

/** Returns whether the desk responded or timed out, or undefined if the exchange shows neither. */
export function responsivenessOf({ outcome }: Exchange): Responsiveness | undefined {
  switch (outcome) {
    case "json":
    case "unreadable":
    case "unexpected_status":
      return "responded";
    case "timed_out":
      return outcome;
    case "expired":
    case "not_sent":
    case "connection_lost":
      return undefined;
  }
}

/** Returns the phase and status in which an exchange ended, or undefined if it never started. */
export function traceOf(exchange: Exchange): CallTrace | undefined {
  switch (exchange.outcome) {
    case "expired":
      return undefined;
    case "not_sent":
      return { phase: exchange.phase };
    case "timed_out":
    case "connection_lost": {
      const { phase, status } = exchange;
      return { phase, ...status !== undefined && { deskStatus: status } };
    }
    case "json":
    case "unreadable":
    case "unexpected_status":
      return { phase: "response", deskStatus: exchange.status };
  }
}

/**
 * Sends one request to the desk. Every request to the desk goes through this function: it follows
 * no redirect, reads at most 64 KiB, ends with `signal` and never rejects.
 */
export async function sendRequest(
  fetch: typeof globalThis.fetch,
  { url, expectedStatus, ...request }: OutboundRequest,
  signal: AbortSignal,
): Promise<Exchange> {
  if (signal.aborted) return { outcome: "expired" };
  let response: Response;
  try {
    // Following a redirect would send the token and the user's text to an unknown server.
    response = await fetch(url, { ...request, signal, redirect: "manual" });
  } catch (error) {
    const phase = phaseBeforeSending(error, url);
    if (phase !== null) return { outcome: "not_sent", phase };
    return { outcome: abortedExchange(signal), phase: "request" };
  }
  const { status } = response;
  if (status !== expectedStatus) {
    // Not awaited: cancelling can block if the desk stalls.
    response.body?.cancel().catch(() => {});
    return { outcome: "unexpected_status", status, isJson: isJson(response.headers) };
  }
  let bytes: Uint8Array<ArrayBuffer> | null;
  try {
    bytes = await readBody(response);
  } catch {
    return { outcome: abortedExchange(signal), phase: "response", status };
  }
  const parsed = bytes && parse(bytes);
  return parsed === null
    ? { outcome: "unreadable", status }
    : { outcome: "json", status, json: parsed.value };
}

function abortedExchange(signal: AbortSignal): "timed_out" | "connection_lost" {
  return signal.aborted ? "timed_out" : "connection_lost";
}

/** Whether a response claims to be JSON, as every response of Request Tracker's REST API does. */
function isJson(headers: Headers): boolean {
  return /^application\/json\s*(?:;|$)/i.test(headers.get("Content-Type") ?? "");
}

function parse(bytes: Uint8Array<ArrayBuffer>): { value: unknown } | null {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return { value: JSON.parse(text) };
  } catch {
    return null;
  }
}
