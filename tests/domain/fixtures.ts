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

export { ACME, START } from "../support/constants.ts";
export const ACTOR = { id: "u-1", name: "Ada" };

/** A pending request that is overdue by more than this is interrupted. */
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

/** A desk that does as it is told, and keeps account of what it was asked. */
export class ScriptedDesk implements Desk, DeskCalls {
  label = "Acme IT desk";
  asked: ("create" | "find")[] = [];
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
    this.asked.push("create");
    return await this.onCreate(request, signal);
  }

  async findTicket(request: SupportRequest, signal: AbortSignal): Promise<FindTicketResult> {
    this.asked.push("find");
    return await this.onFind(request, signal);
  }
}

/** The use cases over a real store in memory, or over `kv`, which is then left open. */
export async function openDeskhand({ desk = new ScriptedDesk() as Desk | null, kv }: {
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
    /** A tenant's audit events by name, oldest first. */
    async audit(): Promise<string[]> {
      const { events } = await store.auditEvents("acme", 100);
      return events.map(({ event }) => event).toReversed();
    },
    /** All that KV holds, but for leases: those are no change. */
    async changes(): Promise<Deno.KvEntry<unknown>[]> {
      const entries = await Array.fromAsync(handle.list({ prefix: [] }));
      return entries.filter(({ key }) => key[0] !== "lease");
    },
    [Symbol.dispose]() {
      if (kv === undefined) handle.close();
    },
  };
}

export interface Asked {
  handoff?: Submission["handoff"];
  key?: string;
  context?: SupportContext;
  summary?: string;
}

/** Submits for the same actor, with `mode: "create"` unless told otherwise. */
export function ask(deps: Dependencies, asked: Asked = {}): Promise<SubmitResult> {
  const { handoff = { mode: "create" }, key, context = ACME } = asked;
  const submission = Submission.parse({ summary: asked.summary ?? "Printer on fire", handoff });
  const command = { context, actor: ACTOR, submission, requestId: "req-1" };
  return submit(deps, { ...command, ...key !== undefined && { idempotencyKey: key } });
}

/** The request of a submission that was stored. */
export function requestOf(result: SubmitResult): SupportRequest {
  if (result.outcome !== "submitted") throw new Error(`not submitted but ${result.outcome}`);
  return result.request;
}

/** Leaves a request pending as a process does that dies while the desk is asked. */
export async function interrupt(
  { deps, store, clock }: Awaited<ReturnType<typeof openDeskhand>>,
  key = "k-1",
): Promise<SupportRequest> {
  const dying = { ...deps, store: { ...store, append: appendOnly(store) } };
  await ask(dying, { key }).catch(() => {});
  clock.time += OVERDUE_MS + 1;
  const stored = await store.latest(ACME);
  if (stored?.request.handoff.status !== "pending") throw new Error("nothing is pending");
  return stored.request;
}

function appendOnly(store: Store): Store["append"] {
  return async (request, key) => {
    await store.append(request, key);
    throw new Error("the process died");
  };
}
