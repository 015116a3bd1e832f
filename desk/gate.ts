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
import { noopTelemetry, type Telemetry } from "../domain/ports/telemetry.ts";
import { Circuit } from "./circuit.ts";

export interface GateOptions {
  /** How many handoffs may call the desk concurrently. Each sends one request at a time. */
  maxConcurrency: number;
  clock: Pick<Clock, "elapsed" | "deadline">;
  log: Log;
  /** Records waits and the circuit's state. Defaults to a no-op. */
  telemetry?: Pick<Telemetry, "turnEnded" | "circuitChanged">;
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
 * flight, each of which leaves it when its own wait expires. When the circuit opens, everything
 * queued is rejected: a turn would only cost another five seconds.
 *
 * Not from a library, because none does this: cockatiel 4 leaves an expired call in its queue,
 * makes other calls wait for a probe, and uses a clock that can jump.
 */
export function createGate(
  desk: UngatedDesk,
  { maxConcurrency, clock, log, telemetry = noopTelemetry }: GateOptions,
): Desk {
  const waiters = new Set<Waiter>();
  let admitted = 0;

  const circuit = new Circuit((state) => {
    telemetry.circuitChanged(state === "closed" ? "closed" : "open");
    if (state === "closed") {
      log.info("desk_circuit_closed", "The desk responds again; handoffs are no longer rejected");
      return;
    }
    log.error(
      "desk_circuit_opened",
      "The desk has timed out repeatedly; handoffs are rejected until it responds",
    );
    for (const waiter of waiters) waiter.resolve(false);
    waiters.clear();
  });

  async function admit<T>(
    waitMs: number,
    work: (calls: DeskCalls) => Promise<T>,
  ): Promise<Admission<T>> {
    const arrived = clock.elapsed();
    const verdict = circuit.admit(arrived);
    if (verdict === "rejected") {
      telemetry.turnEnded(0, "circuit_open");
      return { outcome: "rejected" };
    }
    try {
      if (admitted < maxConcurrency) admitted++;
      else if (!await waitForTurn(waitMs)) {
        const outcome = circuit.state === "closed" ? "timed_out" : "circuit_open";
        telemetry.turnEnded(clock.elapsed() - arrived, outcome);
        return { outcome: "rejected" };
      }
      try {
        telemetry.turnEnded(clock.elapsed() - arrived, "admitted");
        return { outcome: "admitted", result: await work(calls) };
      } finally {
        passTurnOn();
      }
    } finally {
      // Whatever happens: a probe that is never reported as ended would block every later one.
      if (verdict === "probe") circuit.probeEnded();
    }
  }

  /** Resolves with true on the caller's turn, or with false if it does not come in time. */
  function waitForTurn(waitMs: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const waiter = { resolve };
    waiters.add(waiter);
    clock.deadline(waitMs).addEventListener("abort", () => {
      // After the turn, this has no effect.
      waiters.delete(waiter);
      resolve(false);
    });
    return promise;
  }

  function passTurnOn(): void {
    const [next] = waiters;
    if (next === undefined) {
      admitted--;
      return;
    }
    // Hands the slot over directly, so that a new caller cannot overtake the queue.
    waiters.delete(next);
    next.resolve(true);
  }

  function report(responsiveness: Responsiveness | undefined): void {
    if (responsiveness === "responded") circuit.responded();
    else if (responsiveness === "timed_out") circuit.timedOut(clock.elapsed());
  }

  const calls: DeskCalls = {
    async createTicket(request, signal) {
      const result = await desk.createTicket(request, signal);
      report(responsivenessOfResult(result));
      return result;
    },
    async findTicket(request, signal) {
      const result = await desk.findTicket(request, signal);
      report(responsivenessOfResult(result));
      return result;
    },
  };

  return { label: desk.label, resolveTicket: (text) => desk.resolveTicket(text), admit };
}

function responsivenessOfResult(
  result: CreateTicketResult | FindTicketResult,
): Responsiveness | undefined {
  return "responsiveness" in result ? result.responsiveness : "responded";
}
