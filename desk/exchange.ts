import type { Contact } from "../domain/ports.ts";

/** The most that is read of one answer, in bytes as decoded: Request Tracker's own have hundreds. */
const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * What came of one request. `expired` and `not_sent` promise that not a byte of it left; after
 * `timed_out` and `connection_lost` the desk may have acted on it.
 */
export type Exchange =
  | { outcome: "expired" }
  | { outcome: "not_sent" }
  | { outcome: "timed_out" }
  | { outcome: "connection_lost" }
  /** The wanted status came with JSON. */
  | { outcome: "read"; json: unknown }
  /** The wanted status came with something else, or with more than is read. */
  | { outcome: "unreadable" }
  /** Another status came. Its body is never read: nothing in it could change what follows. */
  | { outcome: "answered"; status: number };

export interface OutboundRequest {
  url: string;
  method: "GET" | "POST";
  headers: Record<string, string>;
  body?: string;
  /** The only status whose body is read. */
  wanted: number;
}

/** What an exchange showed of the desk, if anything. */
export function contactAt({ outcome }: Exchange): Contact | undefined {
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

/** The one way to the desk. It never throws, and ends when `signal` does, body included. */
export async function exchange(
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
    if (nothingWasSent(error)) return { outcome: "not_sent" };
    return interruption(signal);
  }
  if (response.status !== wanted) {
    letGo(response.body);
    return { outcome: "answered", status: response.status };
  }
  try {
    const bytes = await readCapped(response);
    return bytes === null ? { outcome: "unreadable" } : parsed(bytes);
  } catch {
    return interruption(signal);
  }
}

function interruption(signal: AbortSignal): Exchange {
  return { outcome: signal.aborted ? "timed_out" : "connection_lost" };
}

/**
 * Deno gives its network errors no code. What tells them apart stands in the message up to
 * Deno 2.5 and in the cause's message later. The URL, which they quote, cannot contain these
 * words: it has no spaces. Whatever is not recognised may have been sent.
 */
function nothingWasSent(error: unknown): boolean {
  if (error instanceof Deno.errors.NotCapable) return true;
  if (!(error instanceof Error)) return false;
  const cause = error.cause instanceof Error ? error.cause.message : "";
  return /client error \(Connect\)|Requests to port \d+ are blocked/.test(
    `${error.message}\n${cause}`,
  );
}

/**
 * The whole body, or null where it is longer than is read. The bytes are counted as they arrive
 * decoded: a small Content-Length says nothing about what a gzip body unpacks to.
 */
async function readCapped(response: Response): Promise<Uint8Array<ArrayBuffer> | null> {
  // Half of what a fetch takes would go into reading it in pieces.
  if (isShort(response.headers)) return await response.bytes();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  while (reader !== undefined) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > MAX_ANSWER_BYTES) {
      letGo(reader);
      return null;
    }
    chunks.push(value);
  }
  return await new Blob(chunks).bytes();
}

/** Whether a body cannot be longer than is read: it is not decoded, and the length that is said ends it. */
function isShort(headers: Headers): boolean {
  const length = headers.get("Content-Length");
  const isDecoded = headers.has("Content-Encoding") || headers.has("Transfer-Encoding");
  return length !== null && Number(length) <= MAX_ANSWER_BYTES && !isDecoded;
}

function parsed(bytes: Uint8Array<ArrayBuffer>): Exchange {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return { outcome: "read", json: JSON.parse(text) };
  } catch {
    return { outcome: "unreadable" };
  }
}

/** Not awaited: a desk that stalls while its answer is being dropped must not be waited for. */
function letGo(body: { cancel(): Promise<void> } | null): void {
  body?.cancel().catch(() => {});
}
