import type { Deadline } from "../../domain/ports/clock.ts";
import { toDeadline } from "../support/clock.ts";
import { START } from "../support/constants.ts";
import type { Mortal } from "./turns.ts";

/**
 * Real time, in milliseconds, of which the processes' clocks differ. It passes only when the plan
 * says so, and not beyond the deadline of a call in progress.
 */
export class Time {
  now = START;
  #holds = new Set<{ until: number; process: Mortal }>();
  #deadlines = new Map<AbortSignal, { at: number; controller: AbortController }>();

  /** Keeps time from passing beyond `until`, until the hold is released or the process crashes. */
  hold(until: number, process: Mortal): () => void {
    const hold = { until, process };
    this.#holds.add(hold);
    return () => void this.#holds.delete(hold);
  }

  /** `AbortSignal.timeout`. */
  deadline(milliseconds: number): Deadline {
    const controller = new AbortController();
    this.#deadlines.set(controller.signal, { at: this.now + milliseconds, controller });
    // Nothing is pending that disposing could clear: time passes only when the plan says so.
    return toDeadline(controller.signal);
  }

  deadlineOf(signal: AbortSignal): number {
    return this.#deadlines.get(signal)!.at;
  }

  /** Lets so much time pass, or as much as the calls in progress allow. */
  pass(milliseconds: number): void {
    const limits = [...this.#holds].filter(({ process }) => process.isAlive)
      .map(({ until }) => until);
    this.now = Math.max(this.now, Math.min(this.now + milliseconds, ...limits));
    for (const { at, controller } of this.#deadlines.values()) {
      if (at <= this.now) controller.abort();
    }
  }
}
