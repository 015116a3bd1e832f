/** The maximum decoded length of a response in bytes. Request Tracker's have a few hundred. */
const MAX_BYTES = 64 * 1024;
/**
 * The maximum number of reads per response, so that a body of single-byte chunks cannot block the
 * thread: 64 KiB of them took two seconds of CPU time. A body of full length may have one chunk per
 * 16 bytes.
 */
const MAX_READS = 4096;

/**
 * Reads the body of a response into one buffer. Returns null, and reads no further, if it is longer
 * than 64 KiB or arrives in too many chunks. Counts decoded bytes, because a small Content-Length
 * says nothing about the decompressed size of a gzip body. Rejects if reading the body fails.
 *
 * Reads into its own buffer ("byob"): Deno otherwise returns every chunk as a view on a separate
 * 64 KiB buffer, which for 64 KiB of single-byte chunks is 4 GB of garbage.
 */
export async function readBody(response: Response): Promise<Uint8Array<ArrayBuffer> | null> {
  if (response.body === null) return new Uint8Array();
  const reader = response.body.getReader({ mode: "byob" });
  // One byte more than the limit: reading into an empty view would never end.
  let buffer = new Uint8Array(maxBodyLength(response.headers) + 1);
  let length = 0;
  for (let reads = 0; length <= MAX_BYTES && reads < MAX_READS; reads++) {
    const { done, value } = await reader.read(buffer.subarray(length));
    // Reading transfers the buffer: `buffer` is detached, and `value` now owns its memory.
    if (value !== undefined) buffer = new Uint8Array(value.buffer);
    if (done) return buffer.subarray(0, length);
    length += value.length;
  }
  // Not awaited: cancelling can block if the desk stalls.
  reader.cancel().catch(() => {});
  return null;
}

/** The upper bound of the body's decoded length: Content-Length, unless the body is encoded. */
function maxBodyLength(headers: Headers): number {
  const length = headers.get("Content-Length");
  const isEncoded = headers.has("Content-Encoding") || headers.has("Transfer-Encoding");
  return length === null || isEncoded ? MAX_BYTES : Math.min(Number(length), MAX_BYTES);
}
