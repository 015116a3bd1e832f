import type { Scheduler } from "fast-check";
import { createGate } from "../../desk/gate.ts";
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
import type { Ask, Happening, Plan, Stall } from "./plan.ts";
import { PlannedDesk } from "./planned_desk.ts";
import { scheduledKv } from "./scheduled_kv.ts";
import { Time } from "./time.ts";
import { Turns } from "./turns.ts";

/** Longer than an interruption and a lease together. */
const LONG_MS = 60_000;

const KINDS = ["tenant", "run"] as const;

/** What a client was told: from then on it is a promise. */
export interface Acknowledgement {
  request: SupportRequest;
  replayed: boolean;
  /** When the submission, or the resume, arrived and when it was answered, in the order of all that happened. */
  arrived: number;
  answered: number;
}

/** What a reader was shown. */
export interface Reading {
  context: SupportContext;
  reference: string | null;
  status: string | undefined;
  began: number;
}

/** One life of a process: a crash ends it, and what starts then shares nothing with it but KV. */
interface Process {
  name: string;
  isAlive: boolean;
  /** How far its clock is off. */
  offset: number;
  deps: Omit<Dependencies, "clock">;
}

let references = 0;

/** One run: processes, their KV and their desk, and what everybody was told. */
export class World {
  readonly acknowledged: Acknowledgement[] = [];
  readonly readings: Reading[] = [];
  /** What is read once nothing is in progress any more, and every deadline is over. */
  lateReadings: Reading[] = [];
  readonly surprises: unknown[] = [];
  /** Tickets named in the log at error level, for an operator to find. */
  readonly loggedTickets = new Set<string>();
  readonly desk: PlannedDesk;
  readonly time = new Time();
  /** The latest time that any clock has shown. */
  latestReading = 0;
  #turns: Turns;
  #commits: Plan["commits"];
  #processes: Process[] = [];
  #asked = new Set<Ask["key"]>();
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
   * Everything that is planned; then all is well again,
   * four callers resume the latest request of each context at once, and two repeat every key.
   */
  async run(): Promise<void> {
    for (const { happenings, thenPass } of this.plan.rounds) {
      await this.#round(happenings);
      this.time.pass(thenPass);
    }
    this.desk.mend();
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
    // One context after the other: the circuit of a process may be open, and lets one handoff through.
    for (const kind of KINDS) {
      await this.#round([
        { what: "resume", kind, callers: 4, process: 0, atStep: 0, stall: null },
      ]);
    }
    const asks: Ask[] = [
      { key: "key-1", kind: "tenant", mode: "create" },
      { key: "key-2", kind: "run", mode: "create" },
    ];
    for (const ask of asks.filter(({ key }) => this.#asked.has(key))) {
      await this.#round(
        [0, 1].map((process) => ({ what: "submit", ask, process, atStep: 0, stall: null })),
      );
    }
  }

  /** Lets what is planned happen at its step, and the calls under way take their turns between. */
  async #round(happenings: Happening[]): Promise<void> {
    let step = 0;
    for (const happening of happenings) {
      while (step < happening.atStep && await this.#turns.next()) step++;
      this.#happen(happening);
      await this.#turns.quiet();
    }
    await this.#turns.drain();
  }

  #happen(happening: Happening): void {
    if (happening.what === "pass") return this.time.pass(happening.ms);
    const index = happening.process % this.#processes.length;
    const process = this.#processes[index]!;
    switch (happening.what) {
      case "submit": {
        const { ask, stall } = happening;
        this.#asked.add(ask.key);
        const name = `submission ${++this.#submissions} (${ask.key ?? "no key"}, ${process.name})`;
        const begin = () => this.#stall(process, stall!);
        const party = { name, process, ...stall && { stall: { ...stall, begin } } };
        return this.#turns.begin(party, () => this.#submit(ask, process));
      }
      case "read":
        return this.#turns.begin(
          { name: `read (${process.name})`, process },
          () => this.#read(happening.kind, process),
        );
      case "resume": {
        const { kind, callers, stall } = happening;
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
        process.offset = happening.to;
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

  async #submit(ask: Ask, process: Process): Promise<void> {
    const arrived = this.#order++;
    try {
      const deps = { ...process.deps, clock: this.#clock(process) };
      const result = await submit(deps, {
        context: this.contextOf(ask.kind),
        actor: { id: "u-1" },
        // The key is what tells the requests in KV apart.
        submission: Submission.parse({
          summary: ask.key ?? "no key",
          handoff: { mode: ask.mode },
        }),
        idempotencyKey: ask.key ?? undefined,
        requestId: "r-1",
      });
      if (result.outcome !== "submitted" || !process.isAlive) return;
      const { request, replayed } = result;
      this.acknowledged.push({ request, replayed, arrived, answered: this.#order++ });
    } catch (error) {
      this.#caught(error, process);
    }
  }

  async #resume(kind: Ask["kind"], process: Process, actorId: string): Promise<void> {
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
      this.acknowledged.push({ request, replayed: true, arrived, answered: this.#order++ });
    } catch (error) {
      this.#caught(error, process);
    }
  }

  async #read(kind: Ask["kind"], process: Process): Promise<void> {
    const began = this.#order++;
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
      // Not one that began after the reader had looked.
      if (isInterrupted && sentInFlight.has(reference!) && inFlight.has(reference!)) {
        this.surprises.push(`${reference} reads as interrupted where it is in flight`);
      }
      this.readings.push({ context, reference, status: handoff?.status, began });
    } catch (error) {
      this.#caught(error, process);
    }
  }

  /** A store that is unavailable is planned for; anything else that is thrown is a bug. */
  #caught(error: unknown, process: Process): void {
    const isPlanned = error instanceof Error && error.name === "StoreUnavailableError";
    if (process.isAlive && !isPlanned) this.surprises.push(error);
  }

  contextOf(kind: Ask["kind"]): SupportContext {
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
      desk: createGate(desk, { maxConcurrency, clock, log }),
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
