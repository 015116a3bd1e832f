import type { Deadline } from "../../domain/ports/clock.ts";
import { isJson } from "./media_type.ts";
import { parseStrictJson, type StrictJson } from "./strict_json.ts";

/**
 * The size limit of a body, in bytes as sent. The longest description, 8,000 characters, fits in any
 * alphabet, and a body of this size is stored within Deno KV's 64 KiB per value. A client that sends
 * `\ud83d\ude00` instead of UTF-8 needs 12 bytes per emoji, and reaches this limit first.
 */
export const MAX_BODY_BYTES = 48 * 1024;

/**
 * The maximum number of reads per body. Each chunk of a chunked body takes at least one read of about
 * 20 µs. A full body takes 99 reads in TCP segments of 500 bytes, at most twice as many in chunks of
 * 500 bytes, and about 150 from a JSON encoder that sends token by token; 48 KiB in chunks of one byte
 * would take 49,152.
 */
export const MAX_READS = 512;

const NOT_ENCODED = /^(?:identity)?$/i;

export type JsonBody =
  | { outcome: "not_json" }
  | { outcome: "encoded" }
  | { outcome: "too_large" }
  | { outcome: "too_fragmented" }
  | { outcome: "too_slow" }
  | StrictJson;

/**
 * Reads a JSON body of at most {@linkcode MAX_BODY_BYTES} until the deadline aborts, which is started
 * only for a body that has not arrived yet. A body that is not read to its end is left unlocked, so that
 * the caller can close the connection. An optional body may be empty, regardless of its headers; its
 * value is then undefined.
 */
export async function readJsonBody(
  request: Request,
  startDeadline: () => Deadline,
  { isOptional = false } = {},
): Promise<JsonBody> {
  const { headers } = request;
  const length = headers.get("Content-Length");
  if (isOptional && (request.body === null || length === "0")) return NO_BODY;
  const rejection = rejectHeaders(headers);
  // Only reading shows whether a chunked body is empty.
  if (rejection !== null && !(isOptional && length === null)) return rejection;
  if (Number(length) > MAX_BODY_BYTES) return { outcome: "too_large" };
  try {
    // The server enforces Content-Length, so it is safe to read the body in one call. A BYOB reader takes
    // 30 to 45 µs more, a seventh of a submission. In return, a body that is too slow cannot be
    // cancelled: its connection stays open, as an idle one does, until the client or a proxy closes it.
    const bytes = length === null
      ? await readStream(request.body ?? new Blob().stream(), startDeadline)
      : await readAll(request, startDeadline);
    if (!(bytes instanceof Uint8Array)) return { outcome: bytes };
    if (isOptional && bytes.length === 0) return NO_BODY;
    if (rejection !== null) return rejection;
    return bytes.length > MAX_BODY_BYTES ? { outcome: "too_large" } : parseStrictJson(bytes);
  } catch {
    return { outcome: "malformed", detail: "The body was incomplete. Send it again" };
  }
}

const NO_BODY: JsonBody = { outcome: "read", value: undefined };

function rejectHeaders(headers: Headers): JsonBody | null {
  if (!isJson(headers.get("Content-Type") ?? "")) return { outcome: "not_json" };
  if (!NOT_ENCODED.test(headers.get("Content-Encoding") ?? "")) return { outcome: "encoded" };
  return null;
}

/**
 * The number of microtasks within which Deno returns a body that has arrived with its head, as nearly
 * every submission has. Deno 2.9 needs two.
 */
const MICROTASKS_IF_ARRIVED = 4;

/**
 * Reads a body of known length, if possible without a deadline, which takes a tenth of the CPU time of a
 * submission (20 of 166 µs at 64 connections).
 */
async function readAll(
  request: Request,
  startDeadline: () => Deadline,
): Promise<Uint8Array | "too_slow"> {
  const bytes = request.bytes();
  let isPending = true;
  const end = () => void (isPending = false);
  bytes.then(end, end);
  for (let i = 0; i < MICROTASKS_IF_ARRIVED && isPending; i++) await undefined;
  if (!isPending) return await bytes;
  using deadline = startDeadline();
  return await withDeadline(bytes, deadline);
}

/**
 * Reads a body of unknown length into one buffer. Holding the chunks would hold 64 KiB for each,
 * because each is a view on a separate buffer of that size.
 */
async function readStream(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  startDeadline: () => Deadline,
): Promise<Uint8Array | "too_large" | "too_slow" | "too_fragmented"> {
  using signal = startDeadline();
  const reader = intoOneBuffer(body);
  // Rejects the pending read. Cancelling the body instead would make Deno receive the rest of it.
  const stop = () => reader.release();
  signal.addEventListener("abort", stop);
  try {
    for (let reads = 0; reads < MAX_READS; reads++) {
      const bytes = await reader.read();
      if (signal.aborted) return "too_slow";
      if (bytes !== null) return bytes;
      if (reader.isTooLarge()) return "too_large";
    }
    return "too_fragmented";
  } catch (error) {
    if (signal.aborted) return "too_slow";
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
    reader.release();
  }
}

/**
 * Larger than the limit, to detect a body that exceeds it. Not by one byte only: in Deno 2.9, a read
 * into a buffer of one or two bytes never resolves at the end of a body.
 */
const BUFFER_BYTES = MAX_BODY_BYTES + 1024;

/** Reads a stream into one buffer. */
interface Collector {
  /** Reads the next chunk. Returns null, or all bytes once the body has ended. */
  read(): Promise<Uint8Array | null>;
  isTooLarge(): boolean;
  release(): void;
}

/** Reads a request's body directly into the buffer; copies the chunks of any other stream. */
function intoOneBuffer(body: ReadableStream<Uint8Array<ArrayBuffer>>): Collector {
  let buffer = new Uint8Array(BUFFER_BYTES);
  let length = 0;
  const isTooLarge = () => length > MAX_BODY_BYTES;
  const byob = byobReader(body);
  if (byob !== null) {
    return {
      async read() {
        const { done, value } = await byob.read(buffer.subarray(length));
        // A read detaches the buffer and returns it as another view.
        if (value !== undefined) buffer = new Uint8Array(value.buffer);
        if (done) return buffer.subarray(0, length);
        length += value.length;
        return null;
      },
      isTooLarge,
      release: () => byob.releaseLock(),
    };
  }
  const reader = body.getReader();
  return {
    async read() {
      const { done, value } = await reader.read();
      if (done) return buffer.subarray(0, length);
      const chunk = value.subarray(0, buffer.length - length);
      buffer.set(chunk, length);
      length += chunk.length;
      return null;
    },
    isTooLarge,
    release: () => reader.releaseLock(),
  };
}

/** Returns null for a stream that is not a byte stream. */
function byobReader(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
): ReadableStreamBYOBReader | null {
  try {
    return body.getReader({ mode: "byob" });
  } catch {
    return null;
  }
}

/** Returns the result of `work`, or `too_slow` if the signal aborts first. */
function withDeadline<T>(work: Promise<T>, signal: AbortSignal): Promise<T | "too_slow"> {
  const { promise, resolve, reject } = Promise.withResolvers<T | "too_slow">();
  const onAbort = () => resolve("too_slow");
  signal.addEventListener("abort", onAbort);
  const end = () => signal.removeEventListener("abort", onAbort);
  work.then(resolve, reject).then(end);
  return promise;
}
