/** The most that is read of one response, in bytes as decoded: Request Tracker's have hundreds. */
const MAX_BYTES = 64 * 1024;
/**
 * The most reads that one response gets, so that a body of single bytes cannot occupy the thread: 64
 * KiB of them took two seconds of it. Of a body of full length it is one for every 16 bytes.
 */
const MAX_READS = 4096;

/**
 * Reads the body of a response into one buffer. Returns null if it is longer than 64 KiB, or comes in
 * too many pieces; the rest of it is not read. Bytes are counted as they arrive decoded: a small
 * Content-Length says nothing about what a gzip body unpacks to. Rejects as the body does.
 *
 * The buffer is the reader's own ("byob"): Deno hands out every piece of a body as a view on another
 * buffer of 64 KiB, which for 64 KiB of single bytes are 4 GB to be collected.
 */
export async function readBody(response: Response): Promise<Uint8Array<ArrayBuffer> | null> {
  if (response.body === null) return new Uint8Array();
  const reader = response.body.getReader({ mode: "byob" });
  // One more than is read: a view without room cannot be filled, and so never ends.
  let buffer = new Uint8Array(maxBodyLength(response.headers) + 1);
  let length = 0;
  for (let reads = 0; length <= MAX_BYTES && reads < MAX_READS; reads++) {
    const { done, value } = await reader.read(buffer.subarray(length));
    // Reading transfers the buffer: `buffer` is detached, and its memory is that of `value`.
    if (value !== undefined) buffer = new Uint8Array(value.buffer);
    if (done) return buffer.subarray(0, length);
    length += value.length;
  }
  // Not awaited: a desk that stalls while its response is discarded must not be waited for.
  reader.cancel().catch(() => {});
  return null;
}

/** How long the body can be: what its Content-Length says, unless it is decoded or longer than that. */
function maxBodyLength(headers: Headers): number {
  const length = headers.get("Content-Length");
  const isDecoded = headers.has("Content-Encoding") || headers.has("Transfer-Encoding");
  return length === null || isDecoded ? MAX_BYTES : Math.min(Number(length), MAX_BYTES);
}
