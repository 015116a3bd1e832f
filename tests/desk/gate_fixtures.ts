/** A gate in front of a desk that tests control. */
import { Gate, type UngatedDesk } from "../../desk/gate.ts";
import { toCreateFailure } from "../../desk/failures.ts";
import type { CreateTicketResult, FindTicketResult } from "../../domain/ports/desk.ts";
import { FakeClock } from "../support/clock.ts";
import { captureLog } from "../support/log.ts";
import { supportRequest } from "../support/records.ts";

export const REQUEST = supportRequest();
export const WAIT_MS = 4_000;
export const INTERVAL_MS = 5_000;
export const REJECTED = { outcome: "rejected" };
export const SIGNAL = new AbortController().signal;

export const TICKET = { reference: "42", url: "https://desk.example/Ticket/Display.html?id=42" };
export const CREATED: CreateTicketResult = { outcome: "created", ticket: TICKET };
export const TIMED_OUT = toCreateFailure({ outcome: "timed_out", phase: "request" });
export const REJECTS = toCreateFailure({ outcome: "unexpected_status", status: 400, isJson: true });

/** Returns a gate in front of a desk whose calls end when a test says so. */
export function openGate(maxConcurrency: number) {
  const clock = new FakeClock({ timers: "manual" });
  const { log, lines } = captureLog();
  const calls: PromiseWithResolvers<CreateTicketResult>[] = [];
  let ended = 0;
  const desk: UngatedDesk = {
    label: "Desk",
    resolveTicket: () => TICKET,
    createTicket() {
      const call = Promise.withResolvers<CreateTicketResult>();
      calls.push(call);
      return call.promise;
    },
    findTicket: () => Promise.resolve<FindTicketResult>({ outcome: "absent" }),
  };
  const gate = new Gate(desk, { maxConcurrency, clock, log });
  /** A handoff with one create request. */
  const create = () => gate.admit(WAIT_MS, (calls) => calls.createTicket(REQUEST, SIGNAL));
  return {
    gate,
    desk,
    clock,
    calls,
    create,
    events: () => lines.map(({ level, event }) => `${level} ${event}`),
    /** Ends the oldest call in flight. */
    async end(creation: CreateTicketResult): Promise<void> {
      calls[ended++]!.resolve(creation);
      await idle();
    },
    /** Opens the circuit with five consecutive timeouts. */
    async open(): Promise<void> {
      for (let count = 0; count < 5; count++) {
        const handoff = create();
        await idle();
        await this.end(TIMED_OUT);
        await handoff;
      }
    },
  };
}

/** Resolves after all pending promise reactions. */
export const idle = () => new Promise((resolve) => setTimeout(resolve, 0));

/** Whether a promise is settled. */
export async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol();
  await idle();
  return await Promise.race([promise, Promise.resolve(pending)]) !== pending;
}
