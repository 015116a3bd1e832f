/** A signal that aborts when its time is up, and its disposal. */
type Deadline = AbortSignal & Disposable;

/**
 * The deadlines of one length that are neither over nor disposed, in the order of their starts, which is
 * that of their ends. They share a timer: one for each took 5 % of the CPU time of a submission.
 */
class Deadlines {
  #milliseconds: number;
  #ends = new Map<AbortController, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds;
  }

  start(): Deadline {
    const controller = new AbortController();
    this.#ends.set(controller, performance.now() + this.#milliseconds);
    // Not before the first deadline: the first timer of a process takes 5 ms.
    this.#timer ??= setTimeout(() => this.#abortDue(), this.#milliseconds);
    return Object.assign(controller.signal, { [Symbol.dispose]: () => this.#dispose(controller) });
  }

  #dispose(controller: AbortController): void {
    if (!this.#ends.delete(controller) || this.#ends.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Aborts the signals whose time is up, and sets the timer for the first of the others. */
  #abortDue(): void {
    const now = performance.now();
    const due: AbortController[] = [];
    this.#timer = undefined;
    for (const [controller, end] of this.#ends) {
      if (end > now) {
        this.#timer = setTimeout(() => this.#abortDue(), Math.ceil(end - now));
        break;
      }
      this.#ends.delete(controller);
      due.push(controller);
    }
    // Last, because a listener may start or dispose other deadlines.
    for (const controller of due) {
      controller.abort(new DOMException("Signal timed out.", "TimeoutError"));
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
