/** The body cannot be read. `reason` says why, for the log. */
export class BodyError extends Error {
  override name = "BodyError";
  constructor(readonly reason: "too_large" | "too_many_chunks" | "not_json") {
    super(reason);
  }
}

const INITIAL_BYTES = 16 * 1024;
/** The maximum number of reads. For a body of 1 MiB, that is one per 256 bytes. */
const MAX_READS = 4096;

/**
 * Reads a response's body of at most `maxBytes` after decompression, and parses it as JSON. It is read
 * into one growing buffer: otherwise Deno returns each chunk, however short, as a view on a separate
 * buffer of 64 KiB.
 *
 * @throws {BodyError} The body is too large, arrives in too many chunks, or is not JSON. The rest of it
 *   is not read: the caller must abort the request.
 */
export async function readBoundedJson(response: Response, maxBytes: number): Promise<unknown> {
  const reader = response.body?.getReader({ mode: "byob" });
  let buffer = new Uint8Array(INITIAL_BYTES);
  let length = 0;
  let reads = 0;
  while (reader !== undefined) {
    if (reads++ === MAX_READS) throw new BodyError("too_many_chunks");
    // A read into an empty view never resolves.
    if (length === buffer.length) buffer = grow(buffer, maxBytes + 1);
    const { done, value } = await reader.read(buffer.subarray(length));
    // A read detaches `buffer` and transfers its memory to `value`.
    if (value !== undefined) buffer = new Uint8Array(value.buffer);
    if (done) break;
    length += value.length;
    if (length > maxBytes) throw new BodyError("too_large");
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(buffer.subarray(0, length));
    return JSON.parse(text);
  } catch {
    // Includes the RangeError of JSON that is nested too deeply.
    throw new BodyError("not_json");
  }
}

function grow(buffer: Uint8Array<ArrayBuffer>, maxBytes: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.min(2 * buffer.length, maxBytes));
  larger.set(buffer);
  return larger;
}
