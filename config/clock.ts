/** A signal that aborts when its time is up, and its disposal. */
type Deadline = AbortSignal & Disposable;

interface Entry {
  /** Undefined once the deadline is over or disposed. */
  controller?: AbortController;
  end: number;
}

/**
 * The deadlines of one length that are neither over nor disposed, in the order of their starts, which is
 * that of their ends. They share a timer: one for each took 3 % of the CPU time of a submission.
 */
class Deadlines {
  #milliseconds: number;
  #entries = new Set<Entry>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds;
  }

  start(): Deadline {
    const controller = new AbortController();
    const entry: Entry = { controller, end: performance.now() + this.#milliseconds };
    this.#entries.add(entry);
    // Not before the first deadline: the first timer of a process takes 5 ms.
    this.#timer ??= setTimeout(() => this.#abortDue(), this.#milliseconds);
    return Object.assign(controller.signal, { [Symbol.dispose]: () => this.#dispose(entry) });
  }

  #dispose(entry: Entry): void {
    // V8 keeps the elements of a set alive for longer than they are in it.
    entry.controller = undefined;
    if (!this.#entries.delete(entry) || this.#entries.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Aborts the signals whose time is up, and sets the timer for the first of the others. */
  #abortDue(): void {
    const now = performance.now();
    const due: Entry[] = [];
    this.#timer = undefined;
    for (const entry of this.#entries) {
      if (entry.end > now) {
        this.#timer = setTimeout(() => this.#abortDue(), Math.ceil(entry.end - now));
        break;
      }
      this.#entries.delete(entry);
      due.push(entry);
    }
    // Last, because a listener may start or dispose other deadlines.
    for (const { controller } of due) {
      controller?.abort(new DOMException("Signal timed out.", "TimeoutError"));
    }
  }
}

/** Few: each length is a constant or comes from the configuration. */
const deadlines = new Map<number, Deadlines>();

/** The system clock. */
export const clock = {
  now: (): number => Date.now(),
  elapsed: (): number => performance.now(),
  wait: (milliseconds: number): Promise<void> =>
    new Promise((resolve) => setTimeout(resolve, milliseconds)),
  deadline(milliseconds: number): Deadline {
    let sameLength = deadlines.get(milliseconds);
    if (sameLength === undefined) {
      sameLength = new Deadlines(milliseconds);
      deadlines.set(milliseconds, sameLength);
    }
    return sameLength.start();
  },
};
