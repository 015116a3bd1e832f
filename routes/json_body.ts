import { isJson } from "./media_type.ts";

/**
 * The largest body that is read, in bytes: the longest description, 8,000 characters, fits in any
 * alphabet, and what a body of this size is stored as stays within Deno KV's 64 KiB for a value.
 */
export const MAX_BODY_BYTES = 48 * 1024;

const NOT_ENCODED = /^(?:identity)?$/i;

export type JsonBody =
  | { outcome: "read"; value: unknown }
  | { outcome: "not_json" }
  | { outcome: "encoded" }
  | { outcome: "too_large" }
  | { outcome: "too_slow" }
  | { outcome: "malformed"; detail: string };

/**
 * Reads a JSON body of at most {@linkcode MAX_BODY_BYTES} until `signal` says that it took too
 * long. Strictly, so that nothing is changed unseen: bytes that are not UTF-8 and the key
 * `__proto__` are refused rather than replaced.
 */
export async function readJsonBody(request: Request, signal: AbortSignal): Promise<JsonBody> {
  const { headers } = request;
  if (!isJson(headers.get("Content-Type") ?? "")) return { outcome: "not_json" };
  if (!NOT_ENCODED.test(headers.get("Content-Encoding") ?? "")) return { outcome: "encoded" };
  const length = headers.get("Content-Length");
  if (Number(length) > MAX_BODY_BYTES) return { outcome: "too_large" };
  try {
    // A server reads no more than the length that was said: then the whole at once is quicker.
    const bytes = length === null
      ? await readStream(request.body ?? new Blob().stream(), signal)
      : await within(request.bytes(), signal);
    if (bytes === null) return { outcome: "too_slow" };
    return bytes.length > MAX_BODY_BYTES ? { outcome: "too_large" } : parse(bytes);
  } catch {
    return { outcome: "malformed", detail: "The body did not arrive whole. Send it again" };
  }
}

/** Not more than one chunk beyond the largest body, or null where it took too long. */
async function readStream(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  signal: AbortSignal,
): Promise<Uint8Array | null> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  const reader = body.getReader();
  // Ends the read that waits, too. Not awaited: that could take as long as the client likes.
  const stop = () => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", stop);
  try {
    while (length <= MAX_BODY_BYTES) {
      const { done, value } = await reader.read();
      if (signal.aborted) return null;
      if (done) return await new Blob(chunks).bytes();
      chunks.push(value);
      length += value.length;
    }
    stop();
    return await new Blob(chunks).bytes();
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Null where the signal comes first. */
function within<T>(work: Promise<T>, signal: AbortSignal): Promise<T | null> {
  const { promise, resolve, reject } = Promise.withResolvers<T | null>();
  const onAbort = () => resolve(null);
  signal.addEventListener("abort", onAbort);
  const end = () => signal.removeEventListener("abort", onAbort);
  work.then(resolve, reject).then(end);
  return promise;
}

const strict = new TextDecoder("utf-8", { fatal: true });

class ProtoKey extends Error {}

function parse(bytes: Uint8Array): JsonBody {
  try {
    const text = strict.decode(bytes);
    // A key is spelled as it is, or with an escape. With a function, parsing takes four times as long.
    const mayHaveProto = text.includes("__proto__") || text.includes("\\");
    return { outcome: "read", value: JSON.parse(text, mayHaveProto ? refuseProto : undefined) };
  } catch (error) {
    return { outcome: "malformed", detail: explain(error) };
  }
}

function refuseProto(key: string, value: unknown): unknown {
  if (key === "__proto__") throw new ProtoKey();
  return value;
}

function explain(error: unknown): string {
  if (error instanceof ProtoKey) return "The body has the key __proto__. Send it without";
  if (error instanceof TypeError) return "The body is not valid UTF-8. Encode it so";
  // What nests too deep for the parser is a RangeError.
  if (error instanceof RangeError) return "The body nests too deep. Send a submission";
  return "The body does not parse as JSON. Send one JSON object";
}
