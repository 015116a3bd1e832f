import { Buffer } from "node:buffer";

/** Responses have a tenth of this. */
const MAX_RESPONSE_BYTES = 16 * 1024;

export interface RawResponse {
  status: number;
  /** The status line and the headers. */
  head: string;
  /** Overwritten by the next response. */
  body: Uint8Array;
}

/**
 * Returns a function that reads the next HTTP/1.1 response, which must have a Content-Length. It rejects
 * if the server sends anything but one complete response.
 */
export function responseReader(from: Pick<Deno.TcpConn, "read">): () => Promise<RawResponse> {
  const buffer = Buffer.alloc(MAX_RESPONSE_BYTES);
  async function fill(filled: number): Promise<number> {
    if (filled === MAX_RESPONSE_BYTES) throw new Error("The response is too long");
    const count = await from.read(buffer.subarray(filled));
    if (count === null) throw new Error("The server closed the connection");
    return filled + count;
  }
  return async () => {
    let filled = 0;
    let end = -1;
    while (end === -1) {
      filled = await fill(filled);
      end = buffer.subarray(0, filled).indexOf("\r\n\r\n");
    }
    const head = buffer.toString("latin1", 0, end);
    const [, length] = /\r\ncontent-length: *(\d+)/i.exec(head) ?? [];
    if (length === undefined) throw new Error(`The response has no Content-Length:\n${head}`);
    const start = end + "\r\n\r\n".length;
    const total = start + Number(length);
    while (filled < total) filled = await fill(filled);
    if (filled > total) throw new Error(`There is more than the response:\n${head}`);
    return { status: Number(head.slice(9, 12)), head, body: buffer.subarray(start, total) };
  };
}
