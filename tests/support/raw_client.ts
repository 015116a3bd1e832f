/** A client of raw HTTP/1.1, for requests that no client library would send. */

/** The connection is closed after so long, which ends every wait. */
const TIMEOUT_MS = 20_000;

export interface RawResponse {
  /** The status line and the headers, without the empty line. */
  head: string;
  status: number;
  /** With names in lower case; the last value of a repeated header. */
  headers: Record<string, string>;
  body: string;
}

export class Peer implements Disposable {
  /** The number of bytes written so far. */
  written = 0;
  /** Set once the server has closed or reset the connection. */
  isClosed = false;
  #received = "";
  #waiting: (() => void)[] = [];
  #timer = setTimeout(() => this.close(), TIMEOUT_MS);

  constructor(readonly socket: Deno.TcpConn) {
    this.#receive();
  }

  static async connect(url: string): Promise<Peer> {
    const { hostname, port } = new URL(url);
    return new Peer(await Deno.connect({ hostname, port: Number(port) }));
  }

  async write(data: string | Uint8Array): Promise<void> {
    const bytes = typeof data === "string" ? toBytes(data) : data;
    for (let at = 0; at < bytes.length;) {
      const count = await this.socket.write(bytes.subarray(at));
      at += count;
      this.written += count;
    }
  }

  /** Writes `piece` repeatedly until `bytes` are written or the connection is closed. */
  async flood(piece: Uint8Array, bytes: number): Promise<void> {
    const end = this.written + bytes;
    try {
      while (this.written < end) await this.write(piece);
    } catch {
      // The connection is closed. A response that arrived before can still be read.
    }
  }

  /** Returns the next response, with a Content-Length or in chunks. */
  async response({ toHead = false } = {}): Promise<RawResponse> {
    for (;;) {
      const found = parseResponse(this.#received, toHead);
      if (found !== null) {
        this.#received = found.rest;
        return found.response;
      }
      if (this.isClosed) throw new Error(`No response: ${JSON.stringify(this.#received)}`);
      await this.#change();
    }
  }

  /** Resolves once the server has closed the connection. */
  async closed(): Promise<void> {
    while (!this.isClosed) await this.#change();
  }

  close(): void {
    clearTimeout(this.#timer);
    try {
      this.socket.close();
    } catch {
      // It is closed.
    }
    this.#close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #close(): void {
    this.isClosed = true;
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async #receive(): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (let count; (count = await this.socket.read(buffer)) !== null;) {
        this.#received += String.fromCharCode(...buffer.subarray(0, count));
        this.#wake();
      }
    } catch {
      // Reset, or closed by the test.
    }
    this.#close();
  }
}

/** Encodes each character as one byte, so that a test can send any bytes. */
function toBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** One chunk of a chunked body. */
export function chunk(bytes: number): Uint8Array {
  return toBytes(`${bytes.toString(16)}\r\n${" ".repeat(bytes)}\r\n`);
}

function parseResponse(text: string, toHead: boolean) {
  const end = text.indexOf("\r\n\r\n");
  if (end === -1) return null;
  const head = text.slice(0, end);
  const [statusLine, ...lines] = head.split("\r\n");
  const headers = Object.fromEntries(lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  }));
  const status = Number(statusLine!.split(" ")[1]);
  const rest = text.slice(end + 4);
  if (toHead || status === 304) return { response: { head, status, headers, body: "" }, rest };
  if (headers["transfer-encoding"] === "chunked") {
    // Chunked bodies in the tests have one chunk, and possibly lack the final, empty one.
    const found = /^([0-9a-f]+)\r\n/i.exec(rest);
    const length = Number.parseInt(found?.[1] ?? "", 16);
    const start = found?.[0].length ?? 0;
    if (found === null || rest.length < start + length) return null;
    return {
      response: { head, status, headers, body: rest.slice(start, start + length) },
      rest: rest.slice(start + length),
    };
  }
  const length = Number(headers["content-length"] ?? 0);
  if (rest.length < length) return null;
  const body = rest.slice(0, length);
  return { response: { head, status, headers, body }, rest: rest.slice(length) };
}
