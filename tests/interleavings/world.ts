import type { Scheduler } from "fast-check";
import { Gate } from "../../desk/gate.ts";
import type { SupportContext } from "../../domain/model/context.ts";
import type { Dependencies } from "../../domain/dependencies.ts";
import { getLatest } from "../../domain/get_latest.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { Log } from "../../domain/ports/log.ts";
import { Submission } from "../../domain/model/submission.ts";
import { resumeLatest } from "../../domain/resume_latest.ts";
import { submit } from "../../domain/submit.ts";
import type { SupportRequest } from "../../domain/model/support_request.ts";
import { noopTelemetry } from "../../domain/ports/telemetry.ts";
import { InFlightTracker } from "../../domain/in_flight.ts";
import { createStore } from "../../kv/store.ts";
import type { Plan, PlannedEvent, Stall, Submitted } from "./plan.ts";
import { PlannedDesk } from "./planned_desk.ts";
import { scheduledKv } from "./scheduled_kv.ts";
import { Time } from "./time.ts";
import { Turns } from "./turns.ts";

/** Longer than the time to an interruption and a lease together. */
const LONG_MS = 60_000;

const KINDS = ["tenant", "run"] as const;

/** A response to a client, which is a promise from then on. */
export interface Acknowledgement {
  request: SupportRequest;
  replayed: boolean;
  /** When the submission or resume arrived and got its response, as positions in one order. */
  arrived: number;
  responded: number;
}

/** What a read returned. */
export interface Reading {
  context: SupportContext;
  reference: string | null;
  status: string | undefined;
  started: number;
}

/** One life of a process. Its successor after a crash shares nothing with it but KV. */
interface Process {
  name: string;
  isAlive: boolean;
  /** How far its clock differs from real time, in milliseconds. */
  offset: number;
  deps: Omit<Dependencies, "clock">;
}

let references = 0;

/** One run: processes, their KV and their desk, and all responses. */
export class World {
  readonly acknowledged: Acknowledgement[] = [];
  readonly readings: Reading[] = [];
  /** Reads once nothing is in progress any more, and every deadline has passed. */
  lateReadings: Reading[] = [];
  readonly surprises: unknown[] = [];
  /** Tickets named in the log at error level. */
  readonly loggedTickets = new Set<string>();
  readonly desk: PlannedDesk;
  readonly time = new Time();
  /** The latest time that any clock has returned. */
  latestReading = 0;
  #turns: Turns;
  #commits: Plan["commits"];
  #processes: Process[] = [];
  #submittedKeys = new Set<Submitted["key"]>();
  #order = 0;
  #submissions = 0;

  constructor(
    readonly kv: Deno.Kv,
    readonly tenantId: string,
    readonly plan: Plan,
    scheduler: Scheduler,
  ) {
    this.#turns = new Turns(scheduler);
    this.#commits = [...plan.commits];
    this.desk = new PlannedDesk(this.#turns, this.time, plan);
    const count = plan.setting === "one process" ? 1 : 2;
    for (let index = 0; index < count; index++) this.#start(index, plan.clocks[index]!);
  }

  /**
   * Runs everything that is planned. Then KV and desk work again, four callers resume the latest
   * request of each context concurrently, and two retry every key.
   */
  async run(): Promise<void> {
    for (const { events, thenPass } of this.plan.rounds) {
      await this.#round(events);
      this.time.pass(thenPass);
    }
    this.desk.recover();
    this.#commits = [];
    for (const process of this.#processes) process.offset = this.latestReading - this.time.now;
    this.time.pass(LONG_MS);
    const read = this.readings.length;
    await this.#round(
      KINDS.flatMap((kind) =>
        [0, 1].map((process) => ({ what: "read", kind, process, atStep: 0 }))
      ),
    );
    this.lateReadings = this.readings.slice(read);
    // One context after the other: the circuit of a process may be open, and admits one handoff.
    for (const kind of KINDS) {
      await this.#round([
        { what: "resume", kind, callers: 4, process: 0, atStep: 0, stall: null },
      ]);
    }
    const submissions: Submitted[] = [
      { key: "key-1", kind: "tenant", mode: "create" },
      { key: "key-2", kind: "run", mode: "create" },
    ];
    for (const submitted of submissions.filter(({ key }) => this.#submittedKeys.has(key))) {
      await this.#round(
        [0, 1].map((process) => ({ what: "submit", submitted, process, atStep: 0, stall: null })),
      );
    }
  }

  /** Runs each event at its step, and the steps of the calls in progress between them. */
  async #round(events: PlannedEvent[]): Promise<void> {
    let step = 0;
    for (const event of events) {
      while (step < event.atStep && await this.#turns.next()) step++;
      this.#run(event);
      await this.#turns.quiet();
    }
    await this.#turns.drain();
  }

  #run(event: PlannedEvent): void {
    if (event.what === "pass") return this.time.pass(event.ms);
    const index = event.process % this.#processes.length;
    const process = this.#processes[index]!;
    switch (event.what) {
      case "submit": {
        const { submitted, stall } = event;
        this.#submittedKeys.add(submitted.key);
        const name = `submission ${++this.#submissions} (${
          submitted.key ?? "no key"
        }, ${process.name})`;
        const begin = () => this.#stall(process, stall!);
        const party = { name, process, ...stall && { stall: { ...stall, begin } } };
        return this.#turns.begin(party, () => this.#submit(submitted, process));
      }
      case "read":
        return this.#turns.begin(
          { name: `read (${process.name})`, process },
          () => this.#read(event.kind, process),
        );
      case "resume": {
        const { kind, callers, stall } = event;
        for (let i = 0; i < callers; i++) {
          const process = this.#processes[(index + i) % this.#processes.length]!;
          const name = `resume ${++this.#submissions} (${kind}, ${process.name})`;
          const begin = () => this.#stall(process, stall!);
          const party = { name, process, ...i === 0 && stall && { stall: { ...stall, begin } } };
          this.#turns.begin(party, () => this.#resume(kind, process, `resumer-${i}`));
        }
        return;
      }
      case "set clock":
        process.offset = event.to;
        return;
      case "crash":
        process.isAlive = false;
        this.#start(index, process.offset);
    }
  }

  #stall(process: Process, { clock, passes }: Stall): void {
    process.offset = clock ?? process.offset;
    this.time.pass(passes);
  }

  async #submit(submitted: Submitted, process: Process): Promise<void> {
    const arrived = this.#order++;
    try {
      const deps = { ...process.deps, clock: this.#clock(process) };
      const result = await submit(deps, {
        context: this.contextOf(submitted.kind),
        actor: { id: "u-1" },
        // The summary identifies the request in KV.
        submission: Submission.parse({
          summary: submitted.key ?? "no key",
          handoff: { mode: submitted.mode },
        }),
        idempotencyKey: submitted.key ?? undefined,
        requestId: "r-1",
      });
      if (result.outcome !== "submitted" || !process.isAlive) return;
      const { request, replayed } = result;
      this.acknowledged.push({ request, replayed, arrived, responded: this.#order++ });
    } catch (error) {
      this.#handle(error, process);
    }
  }

  async #resume(kind: Submitted["kind"], process: Process, actorId: string): Promise<void> {
    const arrived = this.#order++;
    try {
      const deps = { ...process.deps, clock: this.#clock(process) };
      const context = this.contextOf(kind);
      const result = await resumeLatest(deps, {
        context,
        actor: { id: actorId },
        requestId: "r-1",
      });
      if (result.outcome !== "done" || !process.isAlive) return;
      const { request } = result;
      this.acknowledged.push({ request, replayed: true, arrived, responded: this.#order++ });
    } catch (error) {
      this.#handle(error, process);
    }
  }

  async #read(kind: Submitted["kind"], process: Process): Promise<void> {
    const started = this.#order++;
    const context = this.contextOf(kind);
    const { inFlight } = process.deps;
    const sentInFlight = new Set(
      this.desk.sent.map(({ reference }) => reference).filter((sent) => inFlight.has(sent)),
    );
    try {
      const deps = { ...process.deps, clock: this.#clock(process) };
      const { supportRequest } = await getLatest(deps, context);
      const reference = supportRequest?.reference ?? null;
      const { handoff } = supportRequest ?? {};
      const isInterrupted = handoff?.status === "failed" && handoff.reason === "interrupted";
      // Except one that started after the read.
      if (isInterrupted && sentInFlight.has(reference!) && inFlight.has(reference!)) {
        this.surprises.push(`${reference} reads as interrupted while it is in flight`);
      }
      this.readings.push({ context, reference, status: handoff?.status, started });
    } catch (error) {
      this.#handle(error, process);
    }
  }

  /** An unavailable store is planned; any other error is a bug. */
  #handle(error: unknown, process: Process): void {
    const isPlanned = error instanceof Error && error.name === "StoreUnavailableError";
    if (process.isAlive && !isPlanned) this.surprises.push(error);
  }

  contextOf(kind: Submitted["kind"]): SupportContext {
    const { tenantId } = this;
    return kind === "tenant" ? { kind, tenantId } : { kind, tenantId, runId: "r-1" };
  }

  #start(index: number, offset: number): void {
    const process = { name: `process ${index + 1}`, isAlive: true, offset } as Process;
    const isExclusive = this.plan.setting === "one process";
    const kv = scheduledKv(this.kv, {
      turns: this.#turns,
      isRemote: !isExclusive,
      nextCommit: () => this.#commits.shift() ?? "works",
    });
    const clock = this.#clock(process);
    const log = this.#log();
    const { maxConcurrency } = this.plan;
    const deskTimeoutMs = this.plan.deskTimeouts[index]!;
    const desk = this.desk.of(process, { maxConcurrency, deskTimeoutMs });
    process.deps = {
      store: createStore(kv, { clock, retentionDays: null, isExclusive }),
      desk: new Gate(desk, { maxConcurrency, clock, log }),
      deskTimeoutMs,
      log,
      generateReference: () => `SR-${String(++references).padStart(26, "0")}`,
      telemetry: noopTelemetry,
      inFlight: new InFlightTracker(),
    };
    this.#processes[index] = process;
  }

  #clock(process: Process): Clock {
    return {
      now: () => {
        const reading = this.time.now + process.offset;
        this.latestReading = Math.max(this.latestReading, reading);
        return reading;
      },
      elapsed: () => this.time.now,
      wait: (ms) => this.#turns.step("waits", () => this.time.pass(ms)),
      deadline: (ms) => this.time.deadline(ms),
    };
  }

  #log(): Log {
    const error: Log["error"] = (_event, _message, { ticket } = {}) => {
      if (ticket !== undefined) this.loggedTickets.add(ticket);
    };
    return { debug() {}, info() {}, warn() {}, error };
  }
}
