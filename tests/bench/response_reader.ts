/** Responses have a tenth of this. */
const MAX_RESPONSE_BYTES = 16 * 1024;
const CR = 13;
const LF = 10;

export interface RawResponse {
  status: number;
  /** The status line and the headers. */
  head: string;
  /** Overwritten by the next response. */
  body: Uint8Array;
}

const decoder = new TextDecoder();

/** Reads HTTP/1.1 responses one after another. Each must have a Content-Length. */
export class ResponseReader {
  #from: { read(into: Uint8Array): Promise<number | null> };
  #buffer = new Uint8Array(MAX_RESPONSE_BYTES);

  constructor(from: { read(into: Uint8Array): Promise<number | null> }) {
    this.#from = from;
  }

  /** @throws {Error} if the server sends anything but one complete response. */
  async read(): Promise<RawResponse> {
    let filled = await this.#fill(0);
    let end = headEnd(this.#buffer, filled);
    while (end === -1) {
      filled = await this.#fill(filled);
      end = headEnd(this.#buffer, filled);
    }
    const head = decoder.decode(this.#buffer.subarray(0, end));
    const [, length] = /\r\ncontent-length: *(\d+)/i.exec(head) ?? [];
    if (length === undefined) throw new Error(`The response has no Content-Length:\n${head}`);
    const start = end + 4;
    const total = start + Number(length);
    while (filled < total) filled = await this.#fill(filled);
    if (filled > total) throw new Error(`There is more than the response:\n${head}`);
    return { status: Number(head.slice(9, 12)), head, body: this.#buffer.subarray(start, total) };
  }

  async #fill(filled: number): Promise<number> {
    if (filled === MAX_RESPONSE_BYTES) throw new Error("The response is too long");
    const count = await this.#from.read(this.#buffer.subarray(filled));
    if (count === null) throw new Error("The server closed the connection");
    return filled + count;
  }
}

/** Returns the index of the empty line after the headers, or -1. */
function headEnd(bytes: Uint8Array, filled: number): number {
  for (let i = bytes.indexOf(CR); i !== -1 && i + 3 < filled; i = bytes.indexOf(CR, i + 2)) {
    if (bytes[i + 1] === LF && bytes[i + 2] === CR && bytes[i + 3] === LF) return i;
  }
  return -1;
}
