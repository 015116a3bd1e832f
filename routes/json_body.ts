/** The largest body that is read, in bytes. */
export const MAX_BODY_BYTES = 32 * 1024;

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;

export type JsonBody =
  | { outcome: "read"; value: unknown }
  | { outcome: "not_json" }
  | { outcome: "too_large" }
  | { outcome: "malformed"; detail: string };

/**
 * Reads a JSON body of at most {@linkcode MAX_BODY_BYTES}. Strictly, so that nothing is changed
 * unseen: bytes that are not UTF-8 and the key `__proto__` are refused rather than replaced.
 */
export async function readJsonBody(request: Request): Promise<JsonBody> {
  if (!JSON_TYPE.test(request.headers.get("Content-Type") ?? "")) return { outcome: "not_json" };
  const bytes = await readBytes(request);
  if (bytes === null) return { outcome: "too_large" };
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return { outcome: "read", value: JSON.parse(text, refuseProto) };
  } catch (error) {
    return { outcome: "malformed", detail: explain(error) };
  }
}

/** Null where there are more bytes than are read. `Content-Length` is only a client's word. */
async function readBytes(request: Request): Promise<Uint8Array | null> {
  if (Number(request.headers.get("Content-Length") ?? 0) > MAX_BODY_BYTES) return null;
  const bytes = new Uint8Array(MAX_BODY_BYTES);
  let length = 0;
  for await (const chunk of request.body ?? []) {
    if (length + chunk.length > MAX_BODY_BYTES) return null;
    bytes.set(chunk, length);
    length += chunk.length;
  }
  return bytes.subarray(0, length);
}

class ProtoKey extends Error {}

function refuseProto(key: string, value: unknown): unknown {
  if (key === "__proto__") throw new ProtoKey();
  return value;
}

function explain(error: unknown): string {
  if (error instanceof ProtoKey) return "The body has a key __proto__, which is not accepted";
  if (error instanceof TypeError) return "The body is not valid UTF-8";
  return "The body does not parse as JSON";
}
