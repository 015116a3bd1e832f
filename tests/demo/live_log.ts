import type { Log, LogEvent, LogFields } from "../../domain/ports/log.ts";

export interface LiveLine {
  /** Counts from 1. */
  number: number;
  event: LogEvent;
  fields: LogFields;
}

const MAX_LINES = 50;

/** A log that passes each line on to another log and holds the latest lines for the demo's page. */
export class LiveLog implements Log {
  readonly #target: Log;
  #lines: LiveLine[] = [];
  #count = 0;

  constructor(target: Log) {
    this.#target = target;
  }

  /** Returns the lines after a number, oldest first, at most the latest 50. */
  after(number: number): LiveLine[] {
    return this.#lines.filter((line) => line.number > number);
  }

  debug = this.#writer("debug");
  info = this.#writer("info");
  warn = this.#writer("warn");
  error = this.#writer("error");

  #writer(level: keyof Log): Log["info"] {
    return (event, message, fields = {}) => {
      this.#lines = [...this.#lines, { number: ++this.#count, event, fields }].slice(-MAX_LINES);
      this.#target[level](event, message, fields);
    };
  }
}
