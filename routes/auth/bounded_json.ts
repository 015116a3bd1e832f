/** Why a body could not be read. */
export class BodyError extends Error {
  override name = "BodyError";
  constructor(readonly reason: "too_large" | "too_many_chunks" | "not_json") {
    super(reason);
  }
}

const FIRST_BYTES = 16 * 1024;
/** Of a body of a megabyte it is one for every 256 bytes; a body of single bytes ends soon. */
const MAX_READS = 4096;

/**
 * Reads a response's body of at most `maxBytes`, counted as decoded, and parses it as JSON. The body
 * is read into one growing buffer of our own ("byob"): otherwise Deno hands out each chunk, however
 * short, as a view on another buffer of 64 KiB.
 *
 * @throws {BodyError} The body is too large, or comes in too many chunks, and the rest is not read: the
 *   caller aborts the request. Or it is not JSON.
 */
export async function readBoundedJson(response: Response, maxBytes: number): Promise<unknown> {
  const reader = response.body?.getReader({ mode: "byob" });
  let buffer = new Uint8Array(FIRST_BYTES);
  let length = 0;
  let reads = 0;
  while (reader !== undefined) {
    if (reads++ === MAX_READS) throw new BodyError("too_many_chunks");
    // A view without room cannot be filled.
    if (length === buffer.length) buffer = grow(buffer, maxBytes + 1);
    const { done, value } = await reader.read(buffer.subarray(length));
    // Reading transfers the buffer: `buffer` is detached, and its memory is that of `value`.
    if (value !== undefined) buffer = new Uint8Array(value.buffer);
    if (done) break;
    length += value.length;
    if (length > maxBytes) throw new BodyError("too_large");
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(buffer.subarray(0, length));
    return JSON.parse(text);
  } catch {
    // Also a RangeError, if it nests too deep.
    throw new BodyError("not_json");
  }
}

function grow(buffer: Uint8Array<ArrayBuffer>, maxBytes: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.min(2 * buffer.length, maxBytes));
  larger.set(buffer);
  return larger;
}
