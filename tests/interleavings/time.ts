import type { Mortal } from "./turns.ts";

const START = Date.UTC(2026, 10, 23, 12);

/**
 * The time that really passes, in milliseconds. It passes only when it is told to, and not past
 * what a call under way has before its deadline.
 */
export class Time {
  now = START;
  #holds = new Set<{ until: number; process: Mortal }>();
  #deadlines = new Map<AbortSignal, { at: number; controller: AbortController }>();

  /** Keeps time from passing beyond `until` before it is let go, or the process crashes. */
  hold(until: number, process: Mortal): () => void {
    const hold = { until, process };
    this.#holds.add(hold);
    return () => void this.#holds.delete(hold);
  }

  /** `AbortSignal.timeout`. */
  deadline(milliseconds: number): AbortSignal {
    const controller = new AbortController();
    this.#deadlines.set(controller.signal, { at: this.now + milliseconds, controller });
    return controller.signal;
  }

  deadlineOf(signal: AbortSignal): number {
    return this.#deadlines.get(signal)!.at;
  }

  /** Lets so much time pass, or as much as the calls under way can take. */
  pass(milliseconds: number): void {
    const limits = [...this.#holds].filter(({ process }) => process.isAlive)
      .map(({ until }) => until);
    this.now = Math.max(this.now, Math.min(this.now + milliseconds, ...limits));
    for (const { at, controller } of this.#deadlines.values()) {
      if (at <= this.now) controller.abort();
    }
  }
}
