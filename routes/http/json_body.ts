import { isJson } from "./media_type.ts";
import { parseStrictJson, type StrictJson } from "./strict_json.ts";

/**
 * The largest body that is read, in bytes: the longest description, 8,000 characters, fits in any
 * alphabet, and what a body of this size is stored as stays within Deno KV's 64 KiB for a value.
 */
export const MAX_BODY_BYTES = 48 * 1024;

/**
 * The largest number of reads of one body. Each chunk of a body in chunks takes at least one, some
 * 20 µs. A full body in TCP segments of 500 bytes takes 99 reads, in chunks of 500 bytes twice as
 * many at most, and a body that a JSON encoder sends token by token about 150; 48 KiB in chunks of
 * one byte would take 49,152.
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
 * Reads a JSON body of at most {@linkcode MAX_BODY_BYTES} until `signal` says that it took too
 * long. A body that is not read to its end is left unlocked, so that the connection can be ended. An
 * optional body may be empty, whatever its headers say: its value is undefined then.
 */
export async function readJsonBody(
  request: Request,
  signal: AbortSignal,
  { isOptional = false } = {},
): Promise<JsonBody> {
  const { headers } = request;
  const length = headers.get("Content-Length");
  if (isOptional && (request.body === null || length === "0")) return NO_BODY;
  const wrong = rejectHeaders(headers);
  // Only reading shows whether a body in chunks is empty.
  if (wrong !== null && !(isOptional && length === null)) return wrong;
  if (Number(length) > MAX_BODY_BYTES) return { outcome: "too_large" };
  try {
    // A server reads no more than the stated length: then the whole body in one call is faster, and
    // Deno collects it without a view on a buffer for each chunk.
    const bytes = length === null
      ? await readStream(request.body ?? new Blob().stream(), signal)
      : await withDeadline(request.bytes(), signal);
    if (!(bytes instanceof Uint8Array)) return { outcome: bytes };
    if (isOptional && bytes.length === 0) return NO_BODY;
    if (wrong !== null) return wrong;
    return bytes.length > MAX_BODY_BYTES ? { outcome: "too_large" } : parseStrictJson(bytes);
  } catch {
    return { outcome: "malformed", detail: "The body did not arrive whole. Send it again" };
  }
}

const NO_BODY: JsonBody = { outcome: "read", value: undefined };

function rejectHeaders(headers: Headers): JsonBody | null {
  if (!isJson(headers.get("Content-Type") ?? "")) return { outcome: "not_json" };
  if (!NOT_ENCODED.test(headers.get("Content-Encoding") ?? "")) return { outcome: "encoded" };
  return null;
}

/**
 * Reads a body of unknown length into one buffer. Keeping the chunks would keep 64 KiB for each,
 * because each is a view on a buffer of its own.
 */
async function readStream(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  signal: AbortSignal,
): Promise<Uint8Array | "too_large" | "too_slow" | "too_fragmented"> {
  const reader = intoOneBuffer(body);
  // Rejects the read that waits. Cancelling the body would make Deno take in what is still sent.
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
 * Room for more than the largest body, to notice one that is too large: a read into a buffer of one
 * or two bytes never ends in Deno 2.9 where the body has ended.
 */
const BUFFER_BYTES = MAX_BODY_BYTES + 1024;

/** A reader that collects chunks in one buffer. */
interface Collector {
  /** Reads the next chunk. Returns all that was collected once the body has ended, and null before. */
  read(): Promise<Uint8Array | null>;
  isTooLarge(): boolean;
  release(): void;
}

/** A request's body is read into the buffer itself; any other stream is copied into it. */
function intoOneBuffer(body: ReadableStream<Uint8Array<ArrayBuffer>>): Collector {
  let buffer = new Uint8Array(BUFFER_BYTES);
  let length = 0;
  const isTooLarge = () => length > MAX_BODY_BYTES;
  const byob = byobReader(body);
  if (byob !== null) {
    return {
      async read() {
        const { done, value } = await byob.read(buffer.subarray(length));
        // A read takes the buffer away and gives it back.
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
      const taken = value.subarray(0, buffer.length - length);
      buffer.set(taken, length);
      length += taken.length;
      return null;
    },
    isTooLarge,
    release: () => reader.releaseLock(),
  };
}

/** Null for a stream that is not one of bytes. */
function byobReader(body: ReadableStream<Uint8Array<ArrayBuffer>>) {
  try {
    return body.getReader({ mode: "byob" });
  } catch {
    return null;
  }
}

/** The result of `work`, unless the signal comes first. */
function withDeadline<T>(work: Promise<T>, signal: AbortSignal): Promise<T | "too_slow"> {
  const { promise, resolve, reject } = Promise.withResolvers<T | "too_slow">();
  const onAbort = () => resolve("too_slow");
  signal.addEventListener("abort", onAbort);
  const end = () => signal.removeEventListener("abort", onAbort);
  work.then(resolve, reject).then(end);
  return promise;
}
