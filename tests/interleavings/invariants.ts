import { assert, assertEquals } from "@std/assert";
import { AuditEvent } from "../../domain/model/audit.ts";
import { KEY_LIFETIME_MS } from "../../domain/model/idempotency.ts";
import { toPublicHandoff } from "../../domain/model/handoff.ts";
import { withInterruption } from "../../domain/handoff/timeouts.ts";
import { IdempotencyRecord } from "../../kv/idempotency_keys.ts";
import { SupportRequest } from "../../domain/model/support_request.ts";
import type { World } from "./world.ts";

interface StoredRequest {
  request: SupportRequest;
  ts: number;
  events: { ts: number; event: AuditEvent }[];
}

/** The requests in KV after a run, by reference. */
type InKv = Map<string, StoredRequest>;

/** Checks everything that must hold after every run. */
export async function checkInvariants(world: World): Promise<InKv> {
  const requests = await readRequests(world);
  assertEquals(world.surprises, [], "nothing is thrown except StoreUnavailableError");
  acknowledgedAreStored(world, requests);
  arrivalOrderIsPreserved(world, requests);
  for (const stored of requests.values()) {
    everyChangeIsAudited(world, stored);
    responsesAreTrueAboutTickets(world, stored);
    learnedTicketsAreNamed(world, stored);
  }
  pendingEndsWithItsDeadline(world);
  latestIsFinalized(requests);
  assertEquals(world.desk.violations, [], "the desk is protected");
  oneRequestPerKey(world, requests);
  await keysLeadToFinalRequests(world, requests);
  return requests;
}

async function readRequests({ kv, tenantId }: World): Promise<InKv> {
  const requests: InKv = new Map();
  for (const prefix of [["tenant", tenantId], ["run", `${tenantId}/r-1`]]) {
    for await (const { key, value } of kv.list({ prefix })) {
      const request = SupportRequest.parse(value);
      assert(!requests.has(request.reference), "a reference is stored once");
      requests.set(request.reference, { request, ts: key[2] as number, events: [] });
    }
  }
  for await (const { key, value } of kv.list({ prefix: ["audit", tenantId] })) {
    const event = AuditEvent.parse(value);
    const stored = requests.get(event.reference);
    assert(stored !== undefined, "every audit event is about a stored request");
    stored.events.push({ ts: key[2] as number, event });
  }
  return requests;
}

function acknowledgedAreStored({ acknowledged }: World, requests: InKv): void {
  for (const { request: acknowledgedRequest } of acknowledged) {
    const stored = requests.get(acknowledgedRequest.reference);
    assert(stored !== undefined, "an acknowledged request is stored");
    const { handoff } = acknowledgedRequest;
    const mayChange = handoff.status === "pending" ||
      handoff.status === "failed" && handoff.reason === "interrupted";
    if (mayChange) continue;
    assertEquals(stored.request, acknowledgedRequest, "a finalized request stays as it was");
  }
}

/** A context's latest request is the last acknowledged one, whatever the clocks show. */
function arrivalOrderIsPreserved({ acknowledged, readings }: World, requests: InKv): void {
  const tsOf = (reference: string) => requests.get(reference)!.ts;
  for (const { request: earlier, responded } of acknowledged) {
    for (const { request: later, arrived, replayed } of acknowledged) {
      const isLater = !replayed && arrived > responded && isSame(earlier.context, later.context);
      if (!isLater) continue;
      assert(
        tsOf(later.reference) > tsOf(earlier.reference),
        "a request that arrives after another's acknowledgement sorts after it",
      );
    }
    for (const { context, reference, started } of readings) {
      if (started < responded || !isSame(context, earlier.context)) continue;
      assert(
        reference !== null && tsOf(reference) >= tsOf(earlier.reference),
        "a read returns the last acknowledged request, or a later one",
      );
    }
  }
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Each change has exactly one audit event, in order, and a request is finalized at most once. */
function everyChangeIsAudited({ desk }: World, { request, ts, events }: StoredRequest): void {
  const [first, ...changes] = events;
  assertEquals(first?.event.event, "request.submitted", "the first event is the submission");
  assertEquals(first?.ts, ts, "the submission's event has the request's sort key");
  const { status } = request.handoff;
  const isFinalized = first?.event.handoff.status === "pending" && status !== "pending";
  const superseded = isFinalized ? changes.slice(1) : changes;
  assertEquals(
    changes.slice(0, isFinalized ? 1 : 0).map(({ event }) => [event.event, event.handoff]),
    isFinalized ? [[`handoff.${status}`, toPublicHandoff(request.handoff)]] : [],
    "a finalized handoff has an event with the stored handoff",
  );
  for (const { event: { event, handoff } } of superseded) {
    assertEquals(event, "handoff.superseded", "a handoff is finalized once");
    assert(isFinalized, "only a final handoff supersedes a ticket");
    assert(handoff.status === "created", "only a ticket is superseded");
    const { reference } = handoff.ticket;
    assert(desk.ticketsOf(request.reference).includes(reference), "a superseded ticket exists");
    assert(storedTicket(request) !== reference, "a superseded ticket is not the stored one");
  }
  for (const [index, change] of changes.entries()) {
    assert(change.ts > events[index]!.ts, "each event of a request sorts after the one before");
  }
}

/** Once every deadline has passed, no process shows a handoff as pending. */
function pendingEndsWithItsDeadline({ lateReadings }: World): void {
  for (const { reference, status } of lateReadings) {
    assert(status !== "pending", `${reference} is not pending once its deadline has passed`);
  }
}

/** A resume of the latest request with a desk that works finalizes it. */
function latestIsFinalized(requests: InKv): void {
  for (const kind of ["tenant", "run"] as const) {
    const inContext = [...requests.values()].filter(({ request }) => request.context.kind === kind);
    const latest = inContext.toSorted((a, b) => a.ts - b.ts).at(-1);
    assert(latest?.request.handoff.status !== "pending", `the latest of the ${kind} is finalized`);
  }
}

/** A request has one ticket at most, and none if it says so. */
function responsesAreTrueAboutTickets(
  { plan, desk }: World,
  { request, events }: StoredRequest,
): void {
  // If clocks differ by more than is allowed, a handoff may be resumed while it is in progress.
  if (plan.setting === "two processes that disagree on time") return;
  const sent = desk.sent.filter(({ reference }) => reference === request.reference);
  if (request.handoff.status === "failed" && request.handoff.reason === "desk_unavailable") {
    assertEquals(sent, [], "nothing was sent for a handoff that was not admitted");
  }
  assert(
    !sent.some(({ isDisturbed }) => isDisturbed),
    "no handoff is resumed while it calls the desk",
  );
  const tickets = sent.filter(({ ticket }) => ticket !== null);
  const late = tickets.filter(({ isOvertaken }) => isOvertaken);
  const inTime = tickets.filter(({ isOvertaken }) => !isOvertaken);
  assert(
    inTime.length <= 1,
    "a request has one ticket at most, except for those the desk created late",
  );
  if (late.length > 0) return;
  const handoff = withInterruption(request, Infinity).handoff;
  if (handoff.status === "none") assertEquals(tickets.length, 0, "no ticket was requested");
  if (handoff.status === "created") {
    assertEquals(tickets.map(({ ticket }) => ticket), [handoff.ticket.reference]);
  }
  if (handoff.status === "failed" && !handoff.ticketMayExist) {
    // A finalization that the store had left without a response for seconds may be written while a
    // resume creates a ticket. The record stays as it is, and the audit names the ticket.
    const superseded = supersededTickets(events);
    const unknown = tickets.filter(({ ticket }) => !superseded.includes(ticket!));
    assertEquals(unknown, [], "a request that says there is no ticket has none");
  }
}

/** A ticket that a live process knows of is stored, or named in the audit or the log. */
function learnedTicketsAreNamed(world: World, { request, events }: StoredRequest): void {
  const named = new Set([
    storedTicket(request),
    ...supersededTickets(events),
    ...world.loggedTickets,
  ]);
  for (const { reference, ticket, process } of world.desk.learned) {
    if (reference !== request.reference || !process.isAlive) continue;
    assert(named.has(ticket), `ticket ${ticket} is stored, or named as superseded`);
  }
}

function supersededTickets(events: StoredRequest["events"]): string[] {
  return events.flatMap(({ event: { event, handoff } }) =>
    event === "handoff.superseded" && handoff.status === "created" ? [handoff.ticket.reference] : []
  );
}

function storedTicket({ handoff }: SupportRequest): string | undefined {
  return "ticket" in handoff ? handoff.ticket.reference : undefined;
}

/** A key has one request, until it has expired by some clock. */
function oneRequestPerKey({ latestReading }: World, requests: InKv): void {
  const live = [...requests.values()].map(({ request }) => request).filter((request) =>
    request.summary !== "no key" &&
    Date.parse(request.createdAt) + KEY_LIFETIME_MS > latestReading
  );
  const keys = live.map(({ summary }) => summary);
  assertEquals(keys, [...new Set(keys)], "an idempotency key has one request");
}

/** A key has a request, which is finalized once it was retried. */
async function keysLeadToFinalRequests({ kv, tenantId }: World, requests: InKv): Promise<void> {
  const keyed = new Set<string>();
  for await (const { key, value } of kv.list({ prefix: ["idempotency", tenantId] })) {
    const { recordKey } = IdempotencyRecord.parse(value);
    const request = SupportRequest.safeParse((await kv.get(recordKey)).value).data;
    assertEquals(request?.summary, key.at(-1), "a key leads to its own request");
    assert(request?.handoff.status !== "pending", "a retry finalizes the handoff");
    keyed.add(request!.summary);
  }
  for (const { request } of requests.values()) {
    if (request.summary === "no key") continue;
    assert(keyed.has(request.summary), "a request with a key has its idempotency record");
  }
}
