import { isJson } from "./media_type.ts";

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
  | { outcome: "read"; value: unknown }
  | { outcome: "not_json" }
  | { outcome: "encoded" }
  | { outcome: "too_large" }
  | { outcome: "too_fragmented" }
  | { outcome: "too_slow" }
  | { outcome: "malformed"; detail: string };

/**
 * Reads a JSON body of at most {@linkcode MAX_BODY_BYTES} until `signal` says that it took too
 * long. Strictly, so that nothing is changed unseen: bytes that are not UTF-8 and the key
 * `__proto__` are refused rather than replaced. A body that is not read to its end is left unlocked,
 * for whoever ends the connection. An optional body may be empty, whatever its headers say: its value
 * is undefined then.
 */
export async function readJsonBody(
  request: Request,
  signal: AbortSignal,
  { isOptional = false } = {},
): Promise<JsonBody> {
  const { headers } = request;
  const length = headers.get("Content-Length");
  if (isOptional && (request.body === null || length === "0")) return NO_BODY;
  const wrong = wrongHeader(headers);
  // Only reading shows whether a body in chunks is empty.
  if (wrong !== null && !(isOptional && length === null)) return wrong;
  if (Number(length) > MAX_BODY_BYTES) return { outcome: "too_large" };
  try {
    // A server reads no more than the stated length: then the whole body in one call is faster, and
    // Deno collects it without a view on a buffer for each chunk.
    const bytes = length === null
      ? await readStream(request.body ?? new Blob().stream(), signal)
      : await within(request.bytes(), signal);
    if (!(bytes instanceof Uint8Array)) return { outcome: bytes };
    if (isOptional && bytes.length === 0) return NO_BODY;
    if (wrong !== null) return wrong;
    return bytes.length > MAX_BODY_BYTES ? { outcome: "too_large" } : parse(bytes);
  } catch {
    return { outcome: "malformed", detail: "The body did not arrive whole. Send it again" };
  }
}

const NO_BODY: JsonBody = { outcome: "read", value: undefined };

function wrongHeader(headers: Headers): JsonBody | null {
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
function within<T>(work: Promise<T>, signal: AbortSignal): Promise<T | "too_slow"> {
  const { promise, resolve, reject } = Promise.withResolvers<T | "too_slow">();
  const onAbort = () => resolve("too_slow");
  signal.addEventListener("abort", onAbort);
  const end = () => signal.removeEventListener("abort", onAbort);
  work.then(resolve, reject).then(end);
  return promise;
}

const strict = new TextDecoder("utf-8", { fatal: true });

/** A number that may have more digits, or a larger exponent, than a JavaScript number stores. */
const LONG_NUMBER = /[\d.]{16}|\d[eE]/;

class ProtoKey extends Error {}

function parse(bytes: Uint8Array): JsonBody {
  try {
    const text = strict.decode(bytes);
    // A key is spelled as it is, or with an escape. With a function, parsing takes four times as long.
    const needsReviver = text.includes("__proto__") || text.includes("\\") ||
      LONG_NUMBER.test(text);
    return { outcome: "read", value: JSON.parse(text, needsReviver ? revive : undefined) };
  } catch (error) {
    return { outcome: "malformed", detail: explain(error) };
  }
}

/**
 * Rejects the key `__proto__`, and returns a number that JavaScript would round as its text: a
 * 64-bit id in `diagnostics` would otherwise be stored as the id of something else.
 */
function revive(key: string, value: unknown, context?: { source?: string }): unknown {
  if (key === "__proto__") throw new ProtoKey();
  if (typeof value !== "number" || context?.source === undefined) return value;
  return digits(context.source) === digits(String(value)) ? value : context.source;
}

/** The significant digits of a number: those of its mantissa, without zeros at either end. */
function digits(number: string): string {
  const mantissa = number.replace(/[eE].*$/, "").replaceAll(/[^0-9]/g, "").replace(/^0+/, "");
  // An expression for the last zeros takes quadratic time.
  let end = mantissa.length;
  while (mantissa[end - 1] === "0") end--;
  return mantissa.slice(0, end);
}

function explain(error: unknown): string {
  if (error instanceof ProtoKey) return "The body has the key __proto__. Send it without";
  if (error instanceof TypeError) return "The body is not valid UTF-8. Encode it as UTF-8";
  // What nests too deep for the parser is a RangeError.
  if (error instanceof RangeError) return "The body nests too deep. Send a submission";
  return "The body does not parse as JSON. Send one JSON object";
}
