/** Answers are a tenth of it. */
const MAX_ANSWER_BYTES = 16 * 1024;
const CR = 13;
const LF = 10;

export interface Answer {
  status: number;
  /** The status line and the headers. */
  head: string;
  /** Overwritten by the next answer. */
  body: Uint8Array;
}

const decoder = new TextDecoder();

/** Reads one HTTP/1.1 answer after another: those with a Content-Length, and no others. */
export class AnswerReader {
  #from: { read(into: Uint8Array): Promise<number | null> };
  #buffer = new Uint8Array(MAX_ANSWER_BYTES);

  constructor(from: { read(into: Uint8Array): Promise<number | null> }) {
    this.#from = from;
  }

  /** @throws {Error} if what comes is not one whole answer. */
  async read(): Promise<Answer> {
    let filled = await this.#fill(0);
    let end = headEnd(this.#buffer, filled);
    while (end === -1) {
      filled = await this.#fill(filled);
      end = headEnd(this.#buffer, filled);
    }
    const head = decoder.decode(this.#buffer.subarray(0, end));
    const [, length] = /\r\ncontent-length: *(\d+)/i.exec(head) ?? [];
    if (length === undefined) throw new Error(`The answer has no Content-Length:\n${head}`);
    const start = end + 4;
    const whole = start + Number(length);
    while (filled < whole) filled = await this.#fill(filled);
    if (filled > whole) throw new Error(`There is more than the answer:\n${head}`);
    return { status: Number(head.slice(9, 12)), head, body: this.#buffer.subarray(start, whole) };
  }

  async #fill(filled: number): Promise<number> {
    if (filled === MAX_ANSWER_BYTES) throw new Error("The answer is too long");
    const count = await this.#from.read(this.#buffer.subarray(filled));
    if (count === null) throw new Error("The server closed the connection");
    return filled + count;
  }
}

/** Where the empty line after the headers begins, or -1. */
function headEnd(bytes: Uint8Array, filled: number): number {
  for (let i = bytes.indexOf(CR); i !== -1 && i + 3 < filled; i = bytes.indexOf(CR, i + 2)) {
    if (bytes[i + 1] === LF && bytes[i + 2] === CR && bytes[i + 3] === LF) return i;
  }
  return -1;
}
