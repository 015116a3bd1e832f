import { clock as system } from "../../config/clock.ts";
import type { Clock, Deadline } from "../../domain/ports/clock.ts";
import { START } from "./constants.ts";

export interface FakeClockOptions {
  /** What `now` returns until a test changes it, or `"real"` for the real time. */
  now?: number | "real";
  /**
   * With `"real"` timers `wait` and `deadline` take real time. With `"manual"` ones `wait` advances
   * the clock and resolves, and a deadline passes only when the clock is advanced.
   */
  timers?: "real" | "manual";
}

/** Returns a signal as a deadline without a timer, or with one that `dispose` clears. */
export function toDeadline(signal: AbortSignal, dispose: () => void = () => {}): Deadline {
  return Object.assign(signal, { [Symbol.dispose]: dispose });
}

/** A clock that a test sets and advances. Without options `now` stands still and timers are real. */
export class FakeClock implements Clock {
  /** Milliseconds by which `now` differs from what it started with. */
  offset = 0;
  #base: () => number;
  #hasManualTimers: boolean;
  #advanced = 0;
  #deadlines = new Map<AbortController, number>();

  constructor({ now = START, timers = "real" }: FakeClockOptions = {}) {
    this.#base = now === "real" ? Date.now : () => now;
    this.#hasManualTimers = timers === "manual";
  }

  /** What `now` returns. Setting it makes the wall clock jump; `elapsed` does not change. */
  get time(): number {
    return this.#base() + this.offset;
  }

  set time(time: number) {
    this.offset = time - this.#base();
  }

  now = () => this.time;

  elapsed = () => (this.#hasManualTimers ? 0 : performance.now()) + this.#advanced;

  /** Lets time pass, for `now`, `elapsed` and manual deadlines. */
  advance(milliseconds: number): void {
    this.offset += milliseconds;
    this.#advanced += milliseconds;
    for (const [controller, at] of this.#deadlines) {
      if (at > this.elapsed()) continue;
      this.#deadlines.delete(controller);
      controller.abort();
    }
  }

  wait = (milliseconds: number): Promise<void> => {
    if (!this.#hasManualTimers) {
      return new Promise((resolve) => setTimeout(resolve, milliseconds));
    }
    this.advance(milliseconds);
    return Promise.resolve();
  };

  deadline = (milliseconds: number): Deadline => {
    if (!this.#hasManualTimers) return system.deadline(milliseconds);
    const controller = new AbortController();
    this.#deadlines.set(controller, this.elapsed() + milliseconds);
    return toDeadline(controller.signal, () => this.#deadlines.delete(controller));
  };

  /** How many deadlines of manual timers are neither over nor disposed. */
  get pendingDeadlines(): number {
    return this.#deadlines.size;
  }
}
