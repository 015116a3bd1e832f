import type { LogEvent } from "../../domain/ports/log.ts";

/** What a process writes, read as it comes: a process whose output nobody reads stalls. */
export class ProcessOutput {
  text = "";
  /** Resolves when the process has closed both of its streams. */
  readonly ended: Promise<void>;
  #isEnded = false;
  #waiting = new Set<() => void>();

  constructor({ stdout, stderr }: Deno.ChildProcess) {
    this.ended = Promise.all([stdout, stderr].map((stream) => this.#drain(stream))).then(() => {
      this.#isEnded = true;
      this.#wake();
    });
  }

  /** The log lines so far. */
  get lines(): Record<string, unknown>[] {
    const complete = this.text.slice(0, this.text.lastIndexOf("\n") + 1).split("\n");
    return complete.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  }

  /**
   * The first log line of this event, as soon as there is one. The limit is that of the process.
   *
   * @throws if the process ends without it.
   */
  async line(event: LogEvent): Promise<Record<string, unknown>> {
    for (;;) {
      const found = this.lines.find((line) => line.event === event);
      if (found !== undefined) return found;
      if (this.#isEnded) throw new Error(`The process never logged '${event}':\n${this.text}`);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  async #drain(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
      this.text += chunk;
      this.#wake();
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
