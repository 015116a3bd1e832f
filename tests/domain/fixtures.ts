import { FakeClock } from "../support/clock.ts";
import { ACME } from "../support/constants.ts";
import { captureLog } from "../support/log.ts";
import type { SupportContext } from "../../domain/model/context.ts";
import type { Dependencies } from "../../domain/dependencies.ts";
import type { Failure } from "../../domain/model/failure.ts";
import type { Ticket } from "../../domain/model/handoff.ts";
import type {
  Admission,
  CreateTicketResult,
  Desk,
  DeskCalls,
  FindTicketResult,
} from "../../domain/ports/desk.ts";
import type { Store } from "../../domain/ports/store.ts";
import { generateReference } from "../../domain/model/reference.ts";
import { Submission } from "../../domain/model/submission.ts";
import { submit } from "../../domain/submit.ts";
import type { SubmitResult } from "../../domain/submit_result.ts";
import type { SupportRequest } from "../../domain/model/support_request.ts";
import { noopTelemetry } from "../../domain/ports/telemetry.ts";
import { InFlightTracker } from "../../domain/in_flight.ts";
import { createStore } from "../../kv/store.ts";

export const ACTOR = { id: "u-1", name: "Ada" };

/** How long after its start a pending handoff is interrupted, with a desk timeout of five seconds. */
export const OVERDUE_MS = 15_000;

export function ticket(reference: string): Ticket {
  return { reference, url: `https://desk.example/Ticket/Display.html?id=${reference}` };
}

export const createdAs = (reference: string): CreateTicketResult => ({
  outcome: "created",
  ticket: ticket(reference),
});

export const foundAs = (reference: string): FindTicketResult => ({
  outcome: "found",
  ticket: ticket(reference),
});

export function failedWith(
  failure: Partial<Failure> = {},
  respondedByDesk = false,
): CreateTicketResult {
  return {
    outcome: "failed",
    failure: { reason: "desk_timeout", ticketMayExist: true, ...failure },
    respondedByDesk,
  };
}

/** A desk that responds as a test sets it up, and records the calls that it receives. */
export class ScriptedDesk implements Desk, DeskCalls {
  label = "Acme IT desk";
  calls: ("create" | "find")[] = [];
  onCreate: (
    request: SupportRequest,
    signal: AbortSignal,
  ) => CreateTicketResult | Promise<CreateTicketResult>;
  onFind: (
    request: SupportRequest,
    signal: AbortSignal,
  ) => FindTicketResult | Promise<FindTicketResult>;

  constructor(
    creation: CreateTicketResult = createdAs("42"),
    lookup: FindTicketResult = { outcome: "absent" },
  ) {
    this.onCreate = () => creation;
    this.onFind = () => lookup;
  }

  resolveTicket(text: string): Ticket | null {
    return /^[1-9][0-9]{0,14}$/.test(text) ? ticket(text) : null;
  }

  async admit<T>(_: number, work: (calls: DeskCalls) => Promise<T>): Promise<Admission<T>> {
    return { outcome: "admitted", result: await work(this) };
  }

  async createTicket(request: SupportRequest, signal: AbortSignal): Promise<CreateTicketResult> {
    this.calls.push("create");
    return await this.onCreate(request, signal);
  }

  async findTicket(request: SupportRequest, signal: AbortSignal): Promise<FindTicketResult> {
    this.calls.push("find");
    return await this.onFind(request, signal);
  }
}

/**
 * Creates dependencies with a real store in memory, or on `kv`, which then stays open. Use it with
 * `using`.
 */
export async function openTestDependencies({ desk = new ScriptedDesk() as Desk | null, kv }: {
  desk?: Desk | null;
  kv?: Deno.Kv;
} = {}) {
  const handle = kv ?? await Deno.openKv(":memory:");
  const clock = new FakeClock({ timers: "manual" });
  const store = createStore(handle, { clock, retentionDays: null, isExclusive: true });
  const { log, lines } = captureLog();
  const inFlight = new InFlightTracker();
  const deps: Dependencies = {
    store,
    desk,
    deskTimeoutMs: 5000,
    clock,
    log,
    generateReference,
    telemetry: noopTelemetry,
    inFlight,
  };
  return {
    deps,
    clock,
    lines,
    store,
    kv: handle,
    /** Returns the names of the tenant's audit events, oldest first. */
    async audit(): Promise<string[]> {
      const { events } = await store.auditEvents("acme", 100);
      return events.map(({ event }) => event).toReversed();
    },
    /** Returns everything in KV except leases, which change nothing that a user sees. */
    async changes(): Promise<Deno.KvEntry<unknown>[]> {
      const entries = await Array.fromAsync(handle.list({ prefix: [] }));
      return entries.filter(({ key }) => key[0] !== "lease");
    },
    [Symbol.dispose]() {
      if (kv === undefined) handle.close();
    },
  };
}

export interface SubmitOptions {
  handoff?: Submission["handoff"];
  key?: string;
  context?: SupportContext;
  summary?: string;
}

/** Submits a request of {@linkcode ACTOR}, by default with mode `create`. */
export function submitRequest(
  deps: Dependencies,
  options: SubmitOptions = {},
): Promise<SubmitResult> {
  const { handoff = { mode: "create" }, key, context = ACME } = options;
  const submission = Submission.parse({ summary: options.summary ?? "Printer on fire", handoff });
  const command = { context, actor: ACTOR, submission, requestId: "req-1" };
  return submit(deps, { ...command, ...key !== undefined && { idempotencyKey: key } });
}

/** Returns the request of a submission that was stored. */
export function submittedRequest(result: SubmitResult): SupportRequest {
  if (result.outcome !== "submitted") throw new Error(`Not submitted: ${result.outcome}`);
  return result.request;
}

/**
 * Leaves a request pending, as a process does that crashes between the first commit and the
 * finalization, and advances the wall clock past the deadline of its handoff.
 */
export async function crashDuringHandoff(
  { deps, store, clock }: Awaited<ReturnType<typeof openTestDependencies>>,
  key = "k-1",
): Promise<SupportRequest> {
  const crashing = { ...deps, store: { ...store, append: appendOnly(store) } };
  await submitRequest(crashing, { key }).catch(() => {});
  clock.time += OVERDUE_MS + 1;
  const stored = await store.latest(ACME);
  if (stored?.request.handoff.status !== "pending") throw new Error("No request is pending");
  return stored.request;
}

function appendOnly(store: Store): Store["append"] {
  return async (request, key) => {
    await store.append(request, key);
    throw new Error("The process crashed");
  };
}
