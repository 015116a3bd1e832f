import type {
  Admission,
  CreateTicketResult,
  Desk,
  DeskCalls,
  FindTicketResult,
  Responsiveness,
} from "../domain/ports/desk.ts";
import type { Ticket } from "../domain/model/handoff.ts";
import type { Clock } from "../domain/ports/clock.ts";
import type { Log } from "../domain/ports/log.ts";
import { type AdmissionOutcome, noopTelemetry, type Telemetry } from "../domain/ports/telemetry.ts";
import { Circuit } from "./circuit.ts";

export interface GateOptions {
  /** How many handoffs may call the desk concurrently. Each sends one request at a time. */
  maxConcurrency: number;
  clock: Pick<Clock, "elapsed" | "deadline">;
  log: Log;
  /** Records waits and the circuit's state. Defaults to a no-op. */
  telemetry?: Pick<Telemetry, "admissionEnded" | "circuitChanged">;
}

/** A desk without a limit on its callers. */
export type UngatedDesk = Pick<Desk, "label" | "resolveTicket"> & DeskCalls;

interface Waiter {
  resolve: (isAdmitted: boolean) => void;
}

/**
 * Wraps a desk with a concurrency limit and a {@linkcode Circuit}: protects the desk from too many
 * concurrent calls, and users from waiting for a desk that hangs. A handoff is admitted once for
 * all of its calls, so that the lookup after an unclear create request does not queue behind other
 * handoffs.
 *
 * Handoffs are admitted first come, first served. The queue is bounded by the submissions in
 * flight, each of which leaves it when its own wait expires. When the circuit opens, all queued
 * handoffs are rejected: each would only wait five more seconds for the desk.
 *
 * Not from a library, because none does this: cockatiel 4 leaves an expired call in its queue,
 * makes other calls wait for a probe, and uses a clock that can jump.
 */
export class Gate implements Desk {
  #desk: UngatedDesk;
  #maxConcurrency: number;
  #clock: GateOptions["clock"];
  #log: Log;
  #telemetry: Pick<Telemetry, "admissionEnded" | "circuitChanged">;
  #circuit = new Circuit((state) => this.#onCircuitChange(state));
  /** How many handoffs are calling the desk. */
  #admitted = 0;
  /** In the order of their arrival. */
  #waiters = new Set<Waiter>();
  /** The desk's calls, each of which is reported to the circuit. */
  #calls: DeskCalls = {
    createTicket: async (request, signal) =>
      this.#report(await this.#desk.createTicket(request, signal)),
    findTicket: async (request, signal) =>
      this.#report(await this.#desk.findTicket(request, signal)),
  };

  constructor(
    desk: UngatedDesk,
    { maxConcurrency, clock, log, telemetry = noopTelemetry }: GateOptions,
  ) {
    this.#desk = desk;
    this.#maxConcurrency = maxConcurrency;
    this.#clock = clock;
    this.#log = log;
    this.#telemetry = telemetry;
  }

  get label(): string {
    return this.#desk.label;
  }

  resolveTicket(ticket: string): Ticket | null {
    return this.#desk.resolveTicket(ticket);
  }

  async admit<T>(
    waitMs: number,
    work: (calls: DeskCalls) => Promise<T>,
  ): Promise<Admission<T>> {
    const arrivedAt = this.#clock.elapsed();
    const verdict = this.#circuit.admit(arrivedAt);
    if (verdict === "rejected") {
      this.#telemetry.admissionEnded(0, "circuit_open");
      return { outcome: "rejected" };
    }
    try {
      if (!this.#takeFreeSlot() && !await this.#waitForSlot(waitMs)) {
        this.#admissionEnded(
          arrivedAt,
          this.#circuit.state === "closed" ? "timed_out" : "circuit_open",
        );
        return { outcome: "rejected" };
      }
      try {
        this.#admissionEnded(arrivedAt, "admitted");
        return { outcome: "admitted", result: await work(this.#calls) };
      } finally {
        this.#passSlotOn();
      }
    } finally {
      // Even after an exception: a probe that is never reported as ended would block every later one.
      if (verdict === "probe") this.#circuit.probeEnded();
    }
  }

  #takeFreeSlot(): boolean {
    const isFree = this.#admitted < this.#maxConcurrency;
    if (isFree) this.#admitted++;
    return isFree;
  }

  /** Resolves with true once the caller has a slot, or with false if it gets none in time. */
  async #waitForSlot(waitMs: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const waiter = { resolve };
    this.#waiters.add(waiter);
    using deadline = this.#clock.deadline(waitMs);
    deadline.addEventListener("abort", () => {
      this.#waiters.delete(waiter);
      resolve(false);
    });
    return await promise;
  }

  #passSlotOn(): void {
    const [next] = this.#waiters;
    if (next === undefined) {
      this.#admitted--;
      return;
    }
    // Hands the slot over directly, so that a new caller cannot overtake the queue.
    this.#waiters.delete(next);
    next.resolve(true);
  }

  #admissionEnded(arrivedAt: number, outcome: AdmissionOutcome): void {
    this.#telemetry.admissionEnded(this.#clock.elapsed() - arrivedAt, outcome);
  }

  /** Reports the result of a call to the circuit, and returns it. */
  #report<Result extends CreateTicketResult | FindTicketResult>(result: Result): Result {
    const responsiveness = responsivenessOfResult(result);
    if (responsiveness === "responded") this.#circuit.responded();
    else if (responsiveness === "timed_out") this.#circuit.timedOut(this.#clock.elapsed());
    return result;
  }

  #onCircuitChange(state: "opened" | "closed"): void {
    this.#telemetry.circuitChanged(state === "closed" ? "closed" : "open");
    if (state === "closed") {
      this.#log.info(
        "desk_circuit_closed",
        "The desk responds again; handoffs are no longer rejected",
      );
      return;
    }
    this.#log.error(
      "desk_circuit_opened",
      "The desk has timed out repeatedly; handoffs are rejected until it responds",
    );
    for (const waiter of this.#waiters) waiter.resolve(false);
    this.#waiters.clear();
  }
}

function responsivenessOfResult(
  result: CreateTicketResult | FindTicketResult,
): Responsiveness | undefined {
  return "responsiveness" in result ? result.responsiveness : "responded";
}
