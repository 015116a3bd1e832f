/** Why a body could not be read. */
export class BodyError extends Error {
  override name = "BodyError";
  constructor(readonly reason: "too_large" | "not_json") {
    super(reason);
  }
}

const FIRST_BYTES = 16 * 1024;

/**
 * Reads a response's body of at most `maxBytes`, counted as decoded, and parses it as JSON. Chunks
 * are copied into one buffer: each is a view on a buffer of 64 KiB, however short it is.
 *
 * @throws {BodyError} The body is too large, and the rest is not read: the caller aborts the request.
 *   Or it is not JSON.
 */
export async function readBoundedJson(response: Response, maxBytes: number): Promise<unknown> {
  const reader = response.body?.getReader();
  let buffer = new Uint8Array(Math.min(FIRST_BYTES, maxBytes));
  let length = 0;
  while (reader !== undefined) {
    const { done, value } = await reader.read();
    if (done) break;
    if (length + value.length > maxBytes) throw new BodyError("too_large");
    if (length + value.length > buffer.length) {
      const larger = new Uint8Array(Math.min(maxBytes, 2 * (length + value.length)));
      larger.set(buffer.subarray(0, length));
      buffer = larger;
    }
    buffer.set(value, length);
    length += value.length;
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(buffer.subarray(0, length));
    return JSON.parse(text);
  } catch {
    // Also a RangeError, if it nests too deep.
    throw new BodyError("not_json");
  }
}
