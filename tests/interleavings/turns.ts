import { AsyncLocalStorage } from "node:async_hooks";
import { setImmediate } from "node:timers";
import type { Scheduler } from "fast-check";

/** What ends with its process: whatever it waits for then never comes. */
export interface Mortal {
  isAlive: boolean;
}

/** A submission or a read: what takes its turns in one process. */
export interface Party {
  name: string;
  process: Mortal;
  stall?: { before: number; steps: number; begin(): void };
}

/** What a call of a process that has crashed comes to. */
export class Crashed extends Error {}

/**
 * Lets one step happen at a time, in the order that fast-check's scheduler chooses. After a step
 * everybody runs until they wait for a step, their own or another's that they share; only then the
 * next is chosen, so that a run depends on nothing but what was chosen.
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

  /** Who calls, from within a party's work. */
  get party(): Party {
    return this.#party.getStore()!;
  }

  /** Begins the work of a party, which waits for nothing but steps. It must not reject. */
  begin(party: Party, work: () => Promise<void>): void {
    this.#party.run({ ...party, steps: 0 }, work);
  }

  /**
   * Does one step of the present party when its turn comes. Where its process has crashed by then
   * nothing is done, unless it had been `sent`: then it is done, and nobody learns of it. Its turn
   * does not come `after` fewer steps of the others.
   */
  step<T>(name: string, act: () => T | Promise<T>, { sent = false, after = 0 } = {}): Promise<T> {
    const party = this.#party.getStore()!;
    const { process, stall } = party;
    if (!process.isAlive) return Promise.reject(new Crashed());
    const answer = Promise.withResolvers<T>();
    const builder = async () => {
      try {
        const result = process.isAlive || sent ? await act() : undefined;
        if (!process.isAlive) throw new Crashed();
        answer.resolve(result as T);
      } catch (error) {
        answer.reject(error);
      }
    };
    const isStalled = party.steps++ === stall?.before;
    if (isStalled) stall.begin();
    this.later(`${party.name}: ${name}`, builder, isStalled ? stall.steps : after);
    return answer.promise;
  }

  /** Does something when its turn comes, and not before so many other steps. */
  later(label: string, act: () => void | Promise<void>, after = 0): void {
    const builder = async () => await (this.#acting = Promise.resolve(act()));
    const schedule = () => void this.#scheduler.scheduleSequence([{ label, builder }]);
    this.#stalled.push({ until: this.#steps + after, schedule });
    this.#release((until) => until <= this.#steps);
  }

  /** Lets one step happen; false where none is left but those that stall. */
  async next(): Promise<boolean> {
    if (this.#scheduler.count() === 0) return false;
    await this.#scheduler.waitNext(1);
    await this.quiet();
    this.#steps++;
    this.#release((until) => until <= this.#steps);
    return true;
  }

  /** Lets everything happen. */
  async drain(): Promise<void> {
    while (await this.next() || this.#release(() => true));
  }

  #release(isOver: (until: number) => boolean): boolean {
    const over = this.#stalled.filter(({ until }) => isOver(until));
    this.#stalled = this.#stalled.filter(({ until }) => !isOver(until));
    for (const { schedule } of over) schedule();
    return over.length > 0;
  }

  /** Resolves when everybody waits for a step, or has ended. */
  async quiet(): Promise<void> {
    await this.#acting;
    // What follows from a step happens before the next macrotask.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
