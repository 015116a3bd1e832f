import { AsyncLocalStorage } from "node:async_hooks";
import { setImmediate } from "node:timers";
import type { Scheduler } from "fast-check";

/** What dies with its process: it never learns the result of a call in progress. */
export interface Mortal {
  isAlive: boolean;
}

/** A submission, a resume or a read, which takes its turns in one process. */
export interface Party {
  name: string;
  process: Mortal;
  stall?: { before: number; steps: number; begin(): void };
}

/** Rejects each call of a process that has crashed. */
export class CrashedError extends Error {}

/** Far more than a round takes. */
const MAX_STEPS = 100_000;

/**
 * Runs one step at a time, in the order that fast-check's scheduler chooses. After a step all parties
 * run until each waits for a step, its own or one that it shares; only then the next is chosen, so
 * that a run depends on nothing but those choices.
 */
export class Turns {
  #scheduler: Scheduler;
  #party = new AsyncLocalStorage<Party & { steps: number }>();
  #acting: Promise<unknown> | null = null;
  #steps = 0;
  #stalled: { until: number; schedule: () => void }[] = [];

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** The calling party, within its work. */
  get party(): Party {
    return this.#party.getStore()!;
  }

  /** Starts the work of a party, which waits for nothing but steps. It must not reject. */
  begin(party: Party, work: () => Promise<void>): void {
    this.#party.run({ ...party, steps: 0 }, work);
  }

  /**
   * Runs one step of the calling party when its turn comes, after at least `after` steps of the
   * others. If its process has crashed by then, nothing runs, unless the call had been `sent`: then
   * it runs, and nobody learns its result.
   */
  step<T>(name: string, act: () => T | Promise<T>, { sent = false, after = 0 } = {}): Promise<T> {
    const party = this.#party.getStore()!;
    const { process, stall } = party;
    if (!process.isAlive) return Promise.reject(new CrashedError());
    const step = Promise.withResolvers<T>();
    const builder = async () => {
      try {
        const result = process.isAlive || sent ? await act() : undefined;
        if (!process.isAlive) throw new CrashedError();
        step.resolve(result as T);
      } catch (error) {
        step.reject(error);
      }
    };
    const isStalled = party.steps++ === stall?.before;
    if (isStalled) stall.begin();
    this.later(`${party.name}: ${name}`, builder, isStalled ? stall.steps : after);
    return step.promise;
  }

  /** Runs `act` when its turn comes, after at least so many other steps. */
  later(label: string, act: () => void | Promise<void>, after = 0): void {
    const builder = async () => await (this.#acting = Promise.resolve(act()));
    const schedule = () => void this.#scheduler.scheduleSequence([{ label, builder }]);
    this.#stalled.push({ until: this.#steps + after, schedule });
    this.#release((until) => until <= this.#steps);
  }

  /** Runs one step; false if none is left but stalled ones. */
  async next(): Promise<boolean> {
    if (this.#scheduler.count() === 0) return false;
    await this.#scheduler.waitNext(1);
    await this.quiet();
    this.#steps++;
    this.#release((until) => until <= this.#steps);
    return true;
  }

  /** Runs all steps, at most {@linkcode MAX_STEPS}. */
  async drain(): Promise<void> {
    for (let steps = 0; await this.next() || this.#release(() => true); steps++) {
      if (steps > MAX_STEPS) throw new Error(`The calls did not end within ${MAX_STEPS} steps`);
    }
  }

  #release(isDue: (until: number) => boolean): boolean {
    const due = this.#stalled.filter(({ until }) => isDue(until));
    this.#stalled = this.#stalled.filter(({ until }) => !isDue(until));
    for (const { schedule } of due) schedule();
    return due.length > 0;
  }

  /** Resolves when each party waits for a step, or has ended. */
  async quiet(): Promise<void> {
    await this.#acting;
    // The consequences of a step run before the next macrotask.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
