import type { UngatedDesk } from "../../desk/gate.ts";
import { toCreateFailure } from "../../desk/failures.ts";
import type { Ticket } from "../../domain/model/handoff.ts";
import type {
  CreateTicketResult,
  FindTicketResult,
  Responsiveness,
} from "../../domain/ports/desk.ts";
import {
  type CreationPlan,
  type DelayPlan,
  LATE_STEPS,
  type LookupPlan,
  type Plan,
} from "./plan.ts";
import type { Time } from "./time.ts";
import type { Mortal, Party, Turns } from "./turns.ts";

/** One creation that reached the desk. */
export interface Sent {
  reference: string;
  by: Party;
  /** The ticket's number, once the desk has created it. */
  ticket: string | null;
  isAtWork: boolean;
  /** The desk was still working on it when it told another party that it has no such ticket. */
  isOvertaken: boolean;
  /** The sender's call is in progress, before its deadline. */
  isInProgress: boolean;
  /** Another party looked for a ticket while the sender's call was in progress. */
  isDisturbed: boolean;
}

/** A ticket that a process knows from the response to a creation or a lookup. */
interface Learned {
  reference: string;
  ticket: string;
  process: Mortal;
}

/** Five timeouts in a row open the circuit, which admits one probe per interval. */
const TIMEOUTS_TO_OPEN = 5;
const PROBE_INTERVAL_MS = 5_000;
/** The share of its deadline that a handoff has left at least when it is admitted. */
const MIN_SHARE = 0.2;

/** The load that one process puts on the desk, as the desk sees it. */
class Load {
  readonly #inFlight = new Set<AbortSignal>();
  readonly #seen = new WeakSet<AbortSignal>();
  #timeouts = 0;
  /** When a new handoff may call the desk although the circuit is open. */
  #nextProbe = -Infinity;
  readonly #violations: string[];

  constructor(violations: string[]) {
    this.#violations = violations;
  }

  /** Records the start of a call; returns a function to call at its end. */
  begin(signal: AbortSignal, now: number, deadline: number, limits: Limits): () => void {
    if (!this.#seen.has(signal)) {
      this.#seen.add(signal);
      this.#inFlight.add(signal);
      if (this.#timeouts >= TIMEOUTS_TO_OPEN) {
        if (now < this.#nextProbe) this.#violations.push("a handoff called a desk that hangs");
        this.#nextProbe = now + PROBE_INTERVAL_MS;
      }
      if (deadline - now < MIN_SHARE * limits.deskTimeoutMs) {
        this.#violations.push("a handoff called the desk with too little time left");
      }
    }
    this.#inFlight.add(signal);
    if (this.#inFlight.size > limits.maxConcurrency) {
      this.#violations.push("more handoffs called the desk than may");
    }
    return () => void this.#inFlight.delete(signal);
  }

  ended(responsiveness: Responsiveness | undefined, now: number): void {
    if (responsiveness === "responded") this.#timeouts = 0;
    if (responsiveness !== "timed_out") return;
    if (++this.#timeouts === TIMEOUTS_TO_OPEN) this.#nextProbe = now + PROBE_INTERVAL_MS;
  }
}

export interface Limits {
  maxConcurrency: number;
  deskTimeoutMs: number;
}

/** A desk that follows the plan, whether or not the caller still waits for the response. */
export class PlannedDesk {
  readonly sent: Sent[] = [];
  readonly learned: Learned[] = [];
  /** Calls that processes must not have made. */
  readonly violations: string[] = [];
  #turns: Turns;
  #time: Time;
  #creations: CreationPlan[];
  #delays: DelayPlan[];
  #lookups: LookupPlan[];

  constructor(turns: Turns, time: Time, { creations, delays, lookups }: Plan) {
    this.#turns = turns;
    this.#time = time;
    this.#creations = [...creations];
    this.#delays = [...delays];
    this.#lookups = [...lookups];
  }

  /** From now on it responds to everything in time. */
  recover(): void {
    this.#creations = [];
    this.#delays = [];
    this.#lookups = [];
  }

  /** The numbers of the tickets with `reference`, oldest first. */
  ticketsOf(reference: string): string[] {
    return this.sent.filter((sent) => sent.reference === reference && sent.ticket !== null)
      .map(({ ticket }) => ticket!).sort((a, b) => Number(a) - Number(b));
  }

  /** The desk as one process calls it. */
  of(process: Mortal, limits: Limits): UngatedDesk {
    const load = new Load(this.violations);
    const learn = (reference: string, ticket: string) => {
      this.learned.push({ reference, ticket, process });
      return { reference: ticket, url: `https://desk.example/Ticket/Display.html?id=${ticket}` };
    };
    const step: Turns["step"] = (...args) => this.#turns.step(...args);

    /** Runs `exchange`; no time passes beyond its deadline before it has ended. */
    const within = async <T extends CreateTicketResult | FindTicketResult>(
      signal: AbortSignal,
      exchange: () => Promise<T>,
    ): Promise<T> => {
      const deadline = this.#time.deadlineOf(signal);
      const release = this.#time.hold(deadline, process);
      const end = load.begin(signal, this.#time.now, deadline, limits);
      try {
        const result = await exchange();
        load.ended(
          "responsiveness" in result ? result.responsiveness : "responded",
          this.#time.now,
        );
        return result;
      } finally {
        end();
        release();
      }
    };

    const create = async (reference: string, signal: AbortSignal): Promise<CreateTicketResult> => {
      if (signal.aborted) return toCreateFailure({ outcome: "expired" });
      const { party } = this.#turns;
      const { plan, sent } = await step("POST", () => this.#receive(reference, party));
      return await respond(plan, sent, signal).finally(() => sent.isInProgress = false);
    };

    const respond = async (
      plan: CreationPlan,
      sent: Sent,
      signal: AbortSignal,
    ): Promise<CreateTicketResult> => {
      if (plan.ticket === "before the response") {
        await step("POST: the desk creates the ticket", () => this.#make(sent), { sent: true });
      } else if (plan.ticket !== "never") {
        const after = plan.ticket === "late" ? LATE_STEPS : 0;
        this.#turns.later("the desk creates a ticket", () => this.#make(sent), after);
      }
      while (plan.response === "timed_out" && !signal.aborted) {
        await step("POST waits", () => this.#time.pass(remaining(signal)));
      }
      const { steps, passes } = this.#delays.shift() ?? { steps: 0, passes: 0 };
      await step("POST is slow", () => this.#time.pass(passes));
      await step("POST gets its response", () => {}, { after: steps });
      if (signal.aborted) return toCreateFailure({ outcome: "timed_out", phase: "request" });
      if (plan.response === 201) {
        return { outcome: "created", ticket: learn(sent.reference, sent.ticket!) };
      }
      return toCreateFailure(
        typeof plan.response === "number"
          ? { outcome: "unexpected_status", status: plan.response, isJson: true }
          : { outcome: plan.response, phase: "request" },
      );
    };
    const remaining = (signal: AbortSignal) => this.#time.deadlineOf(signal) - this.#time.now;

    const find = async (reference: string, signal: AbortSignal): Promise<FindTicketResult> => {
      if (signal.aborted) return { outcome: "unclear", responsiveness: undefined };
      const { party } = this.#turns;
      const found = await step("GET", () => this.#lookUp(reference, party));
      await step("GET gets its response", () => {});
      if (signal.aborted) return { outcome: "unclear", responsiveness: "timed_out" };
      if (found === "unclear") return { outcome: "unclear", responsiveness: "responded" };
      return found === null
        ? { outcome: "absent" }
        : { outcome: "found", ticket: learn(reference, found) };
    };

    return {
      label: "Demo desk",
      resolveTicket: (): Ticket | null => null,
      createTicket: ({ reference }, signal) => within(signal, () => create(reference, signal)),
      findTicket: ({ reference }, signal) => within(signal, () => find(reference, signal)),
    };
  }

  #receive(reference: string, by: Party) {
    const plan = this.#creations.shift() ?? { response: 201, ticket: "before the response" };
    const isAtWork = plan.ticket !== "never";
    const sent: Sent = {
      reference,
      by,
      ticket: null,
      isAtWork,
      isOvertaken: false,
      isInProgress: true,
      isDisturbed: false,
    };
    this.sent.push(sent);
    return { plan, sent };
  }

  #made = 0;
  #make(sent: Sent): void {
    sent.ticket = String(++this.#made);
    sent.isAtWork = false;
  }

  /** The oldest ticket, or null if the desk has none. */
  #lookUp(reference: string, by: Party): string | null | "unclear" {
    if (this.#lookups.shift() === "unclear") return "unclear";
    for (const sent of this.sent) {
      if (sent.reference !== reference || sent.by === by || !sent.by.process.isAlive) continue;
      if (sent.isInProgress) sent.isDisturbed = true;
    }
    const [oldest] = this.ticketsOf(reference);
    if (oldest !== undefined) return oldest;
    for (const sent of this.sent) {
      if (sent.reference !== reference || !sent.isAtWork) continue;
      // The sender knows that the desk may be working, and must not take this for a proof.
      if (sent.by !== by) sent.isOvertaken = true;
    }
    return null;
  }
}
