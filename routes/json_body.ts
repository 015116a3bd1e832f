/** The largest body that is read, in bytes. */
export const MAX_BODY_BYTES = 32 * 1024;

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;
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
  const { headers, body } = request;
  if (!JSON_TYPE.test(headers.get("Content-Type") ?? "")) return { outcome: "not_json" };
  if (!NOT_ENCODED.test(headers.get("Content-Encoding") ?? "")) return { outcome: "encoded" };
  // Only a client's word, but one that saves reading.
  if (Number(headers.get("Content-Length")) > MAX_BODY_BYTES) return { outcome: "too_large" };
  const bytes = body === null ? new Uint8Array() : await readBytes(body, signal);
  return bytes instanceof Uint8Array ? parse(bytes) : bytes;
}

async function readBytes(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): Promise<Uint8Array | JsonBody> {
  const bytes = new Uint8Array(MAX_BODY_BYTES);
  let length = 0;
  const reader = body.getReader();
  // Ends the read that waits, too. Not awaited: that could take as long as the client likes.
  const stop = () => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", stop);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (signal.aborted) return { outcome: "too_slow" };
      if (done) return bytes.subarray(0, length);
      if (length + value.length > MAX_BODY_BYTES) {
        stop();
        return { outcome: "too_large" };
      }
      bytes.set(value, length);
      length += value.length;
    }
  } catch {
    return { outcome: "malformed", detail: "The body did not arrive whole. Send it again" };
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

class ProtoKey extends Error {}

function parse(bytes: Uint8Array): JsonBody {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return { outcome: "read", value: JSON.parse(text, refuseProto) };
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
