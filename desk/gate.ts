import type {
  Admission,
  CreateTicketResult,
  Desk,
  DeskCalls,
  FindTicketResult,
  Responsiveness,
} from "../domain/ports/desk.ts";
import type { Clock } from "../domain/ports/clock.ts";
import type { Log } from "../domain/ports/log.ts";
import { Circuit } from "./circuit.ts";

export interface GateOptions {
  /** How many handoffs may call the desk at the same time. Each makes one call after the other. */
  maxConcurrency: number;
  clock: Pick<Clock, "elapsed" | "deadline">;
  log: Log;
}

/** A desk that anybody may call at any time. */
export type UngatedDesk = Pick<Desk, "label" | "resolveTicket"> & DeskCalls;

interface Waiter {
  resolve: (isAdmitted: boolean) => void;
}

/**
 * Protects the desk from too many calls at the same time, and people from waiting for a desk that
 * hangs. A handoff is admitted once, for all of its calls: the lookup that follows an unclear
 * creation must not wait behind other handoffs.
 *
 * Handoffs are admitted in the order in which they came. Their number is limited by the submissions
 * in flight, each of which leaves when its own time is over. When the circuit opens, those that wait
 * are rejected: what they wait for would only take their five seconds.
 *
 * Written here because no library does this: cockatiel 4 leaves a call whose time is over in
 * its queue, makes the others wait for a probe, and measures by a clock that jumps.
 */
export function createGate(desk: UngatedDesk, { maxConcurrency, clock, log }: GateOptions): Desk {
  const waiters = new Set<Waiter>();
  let admitted = 0;

  const circuit = new Circuit((state) => {
    if (state === "closed") {
      log.info("desk_circuit_closed", "The desk responds again; handoffs resume");
      return;
    }
    log.error("desk_circuit_opened", "The desk has timed out repeatedly; handoffs are suspended");
    for (const waiter of waiters) waiter.resolve(false);
    waiters.clear();
  });

  async function admit<T>(
    waitMs: number,
    work: (calls: DeskCalls) => Promise<T>,
  ): Promise<Admission<T>> {
    const verdict = circuit.admit(clock.elapsed());
    if (verdict === "rejected") return { outcome: "rejected" };
    try {
      if (admitted < maxConcurrency) admitted++;
      else if (!await turn(waitMs)) return { outcome: "rejected" };
      try {
        return { outcome: "admitted", result: await work(calls) };
      } finally {
        leave();
      }
    } finally {
      // However it ends: a probe that is never said to have ended would be the last one.
      if (verdict === "probe") circuit.probeEnded();
    }
  }

  /** Resolves with true when it is the caller's turn, with false when it will not come in time. */
  function turn(waitMs: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const waiter = { resolve };
    waiters.add(waiter);
    clock.deadline(waitMs).addEventListener("abort", () => {
      // Later than its turn this does nothing.
      waiters.delete(waiter);
      resolve(false);
    });
    return promise;
  }

  function leave(): void {
    const [next] = waiters;
    if (next === undefined) {
      admitted--;
      return;
    }
    // The place passes on directly, so that nobody who comes now is before those who wait.
    waiters.delete(next);
    next.resolve(true);
  }

  function watch(responsiveness: Responsiveness | undefined): void {
    if (responsiveness === "responded") circuit.responded();
    else if (responsiveness === "timed_out") circuit.timedOut(clock.elapsed());
  }

  const calls: DeskCalls = {
    async createTicket(request, signal) {
      const creation = await desk.createTicket(request, signal);
      watch(responsivenessOfResult(creation));
      return creation;
    },
    async findTicket(request, signal) {
      const lookup = await desk.findTicket(request, signal);
      watch(responsivenessOfResult(lookup));
      return lookup;
    },
  };

  return { label: desk.label, resolveTicket: (text) => desk.resolveTicket(text), admit };
}

function responsivenessOfResult(
  result: CreateTicketResult | FindTicketResult,
): Responsiveness | undefined {
  return "responsiveness" in result ? result.responsiveness : "responded";
}
