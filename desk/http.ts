import type { CallTrace, Phase, Responsiveness } from "../domain/ports/desk.ts";
import { readBody } from "./read_body.ts";

/**
 * What came of one request. `expired` and `not_sent` promise that not a byte of it left; after
 * `timed_out` and `connection_lost` the desk may have acted on it.
 */
export type Exchange =
  | { outcome: "expired" }
  | { outcome: "not_sent"; phase: Phase }
  | { outcome: "timed_out"; phase: Phase; status?: number }
  | { outcome: "connection_lost"; phase: Phase; status?: number }
  /** The wanted status came with JSON. */
  | { outcome: "read"; status: number; json: unknown }
  /** The wanted status came with something else, or with more than is read. */
  | { outcome: "unreadable"; status: number }
  /**
   * Another status came. Its body is never read: nothing in it could change what follows. Whether
   * it is JSON is taken from the response's headers.
   */
  | { outcome: "answered"; status: number; isJson: boolean };

export interface OutboundRequest {
  url: string;
  method: "GET" | "POST";
  headers: Record<string, string>;
  body?: string;
  /** The only status whose body is read. */
  wanted: number;
}

/** What an exchange showed of the desk, if anything. */
export function responsivenessOf({ outcome }: Exchange): Responsiveness | undefined {
  switch (outcome) {
    case "read":
    case "unreadable":
    case "answered":
      return "responded";
    case "timed_out":
      return outcome;
    case "expired":
    case "not_sent":
    case "connection_lost":
      return undefined;
  }
}

/** Where an exchange ended, and with which status; undefined if nothing was tried. */
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
    case "read":
    case "unreadable":
    case "answered":
      return { phase: "response", deskStatus: exchange.status };
  }
}

/** Sends a request to the desk; everything goes this way. Never rejects, and ends with `signal`. */
export async function sendRequest(
  fetch: typeof globalThis.fetch,
  { url, wanted, ...request }: OutboundRequest,
  signal: AbortSignal,
): Promise<Exchange> {
  if (signal.aborted) return { outcome: "expired" };
  let response: Response;
  try {
    // A followed redirect would take the token, and a person's words, to wherever it points.
    response = await fetch(url, { ...request, signal, redirect: "manual" });
  } catch (error) {
    const phase = phaseBeforeSending(error, url);
    if (phase !== null) return { outcome: "not_sent", phase };
    return { outcome: abortedExchange(signal), phase: "request" };
  }
  const { status } = response;
  if (status !== wanted) {
    // Not awaited: a desk that stalls while its response is discarded must not be waited for.
    response.body?.cancel().catch(() => {});
    return { outcome: "answered", status, isJson: isJson(response.headers) };
  }
  let bytes: Uint8Array<ArrayBuffer> | null;
  try {
    bytes = await readBody(response);
  } catch {
    return { outcome: abortedExchange(signal), phase: "response", status };
  }
  const json = bytes && parse(bytes);
  return json === null
    ? { outcome: "unreadable", status }
    : { outcome: "read", status, json: json.value };
}

function abortedExchange(signal: AbortSignal): "timed_out" | "connection_lost" {
  return signal.aborted ? "timed_out" : "connection_lost";
}

/**
 * The phase in which a request failed of which nothing was sent, or null: whatever is not recognised
 * may have been sent. Deno gives its network errors no code. What tells them apart stands in the
 * message up to Deno 2.5, and in the cause's message later. The URL, which they quote before it,
 * cannot contain these words: it has no spaces. The message itself goes nowhere.
 */
function phaseBeforeSending(error: unknown, url: string): Phase | null {
  if (error instanceof Deno.errors.NotCapable) return "connect";
  if (!(error instanceof Error)) return null;
  const cause = error.cause instanceof Error ? error.cause.message : "";
  const text = `${error.message}\n${cause}`;
  if (/Requests to port \d+ are blocked/.test(text)) return "connect";
  // DENO_CERT or DENO_TLS_CA_STORE cannot be used: Deno then sends no request at all, even by http.
  if (isCertificateStoreError(error)) return "tls";
  const detail = /client error \(Connect\)(.*)/s.exec(text)?.[1];
  if (detail === undefined) return null;
  if (detail.includes("dns error")) return "dns";
  // What is left after the TCP connection and a proxy's tunnel is the TLS handshake, whose errors
  // have many words: "invalid peer certificate", "received corrupt message", "tls handshake eof".
  const isTls = url.startsWith("https:") && !/tcp connect error|tunnel|proxy|socks/i.test(detail);
  return isTls ? "tls" : "connect";
}

/** Whether Deno could not load the authorities to trust. Network errors are of the type `TypeError`. */
function isCertificateStoreError(error: Error): boolean {
  return !(error instanceof TypeError) && /\bCA file\b|\bcertificate store\b/.test(error.message);
}

/** Whether a response says that it is JSON, as each one of Request Tracker's interface does. */
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
