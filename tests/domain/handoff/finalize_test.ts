import { assert, assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import type { FinalHandoff } from "../../../domain/model/handoff.ts";
import { type Store, StoreUnavailableError } from "../../../domain/ports/store.ts";
import {
  crashDuringHandoff,
  createdAs,
  failedWith,
  foundAs,
  openTestDependencies,
  OVERDUE_MS,
  ScriptedDesk,
  submitRequest,
  submittedRequest,
} from "../fixtures.ts";
import { ACME } from "../../support/constants.ts";
import { requestKey } from "../../../kv/keys.ts";

type TestDependencies = Awaited<ReturnType<typeof openTestDependencies>>;

/** Dependencies with a store that is unavailable for the first `times` finalizations. */
function withFailingStore({ deps, store }: TestDependencies, times: number) {
  let attempts = 0;
  const finalize: Store["finalize"] = (stored, handoff) =>
    attempts++ < times
      ? Promise.reject(new StoreUnavailableError("KV failed"))
      : store.finalize(stored, handoff);
  return { deps: { ...deps, store: { ...store, finalize } }, attempts: () => attempts };
}

/** Lets another attempt record `handoff` while the desk is being called. */
function recordMeanwhile(test: TestDependencies, desk: ScriptedDesk, handoff: FinalHandoff): void {
  const creation = desk.onCreate;
  desk.onCreate = async (request, signal) => {
    const stored = await test.store.latest(ACME);
    assert(stored !== null && await test.store.finalize(stored, handoff));
    return creation(request, signal);
  };
}

function finalWithTicket(ticket: string, at: string): FinalHandoff {
  const creation = createdAs(ticket);
  assert(creation.outcome === "created");
  return { status: "created", ticket: creation.ticket, at };
}

const AT = "2026-11-23T12:00:00.500Z";
const FAILED: FinalHandoff = {
  status: "failed",
  reason: "desk_timeout",
  summary: "The desk did not respond in time",
  ticketMayExist: true,
  at: AT,
};

Deno.test("finalize retries while the store is unavailable", async () => {
  using test = await openTestDependencies();
  const { deps, attempts } = withFailingStore(test, 4);
  const request = submittedRequest(await submitRequest(deps));
  assertEquals(request.handoff.status, "created");
  assertEquals((await test.store.latest(ACME))?.request, request);
  assertEquals(attempts(), 5);
  assertEquals(await test.audit(), ["request.submitted", "handoff.created"]);
  assertEquals(test.lines.filter(({ level }) => level === "error"), []);
});

Deno.test("finalize gives up after two seconds and logs the ticket", async () => {
  using test = await openTestDependencies();
  const { deps, attempts } = withFailingStore(test, Infinity);
  const request = submittedRequest(await submitRequest(deps));
  assertEquals(request.handoff.status, "pending");
  assertEquals((await test.store.latest(ACME))?.request, request);
  assertLessOrEqual(test.clock.elapsed(), 2000);
  // Each backoff is twice the one before: the next would have ended after the two seconds.
  assertGreater(test.clock.elapsed(), 1000);
  assertGreater(attempts(), 3);
  const [line, ...others] = test.lines.filter(({ level }) => level === "error");
  assertEquals(others, []);
  assertEquals([line?.ticket, line?.reference, line?.requestId, line?.tenantId], [
    "42",
    request.reference,
    "req-1",
    "acme",
  ]);
  assertEquals(await test.audit(), ["request.submitted"]);
});

Deno.test("finalize of a failure that cannot be recorded logs no ticket", async () => {
  using test = await openTestDependencies({ desk: new ScriptedDesk(failedWith()) });
  const request = submittedRequest(await submitRequest(withFailingStore(test, Infinity).deps));
  assertEquals(request.handoff.status, "pending");
  const [line] = test.lines.filter(({ level }) => level === "error");
  assert(line !== undefined && !("ticket" in line));
});

Deno.test("a ticket that could not be recorded is adopted by a retry", async () => {
  const desk = new ScriptedDesk(createdAs("42"), foundAs("42"));
  using test = await openTestDependencies({ desk });
  await submitRequest(withFailingStore(test, Infinity).deps, { key: "k-1" });
  test.clock.time += OVERDUE_MS + 1;
  const { handoff } = submittedRequest(await submitRequest(test.deps, { key: "k-1" }));
  assert(handoff.status === "created");
  assertEquals(handoff.ticket.reference, "42");
  assertEquals(desk.calls, ["create", "find"]);
});

Deno.test("a finalization that was applied although the store failed is recognized", async () => {
  using test = await openTestDependencies();
  let attempts = 0;
  const finalize: Store["finalize"] = async (stored, handoff) => {
    const isDone = await test.store.finalize(stored, handoff);
    if (attempts++ === 0) throw new StoreUnavailableError("KV did not respond within 2000 ms");
    return isDone;
  };
  const request = submittedRequest(
    await submitRequest({ ...test.deps, store: { ...test.store, finalize } }),
  );
  assertEquals(request.handoff.status, "created");
  assertEquals(await test.audit(), ["request.submitted", "handoff.created"]);
});

Deno.test("finalize after another attempt recorded the same ticket adds nothing", async () => {
  const desk = new ScriptedDesk(createdAs("42"));
  using test = await openTestDependencies({ desk });
  recordMeanwhile(test, desk, finalWithTicket("42", AT));
  const request = submittedRequest(await submitRequest(test.deps));
  assertEquals(request.handoff, finalWithTicket("42", AT));
  assertEquals(await test.audit(), ["request.submitted", "handoff.created"]);
});

for (
  const [stored, handoff] of [["another ticket", finalWithTicket("7", AT)], [
    "a failure",
    FAILED,
  ]] as const
) {
  Deno.test(`finalize after another attempt recorded ${stored} audits its own ticket`, async () => {
    const desk = new ScriptedDesk(createdAs("42"));
    using test = await openTestDependencies({ desk });
    recordMeanwhile(test, desk, handoff);
    const request = submittedRequest(await submitRequest(test.deps));
    assertEquals(request.handoff, handoff);
    assertEquals((await test.store.latest(ACME))?.request, request);
    assertEquals(await test.audit(), [
      "request.submitted",
      `handoff.${handoff.status}`,
      "handoff.superseded",
    ]);
    const { events: [superseded] } = await test.store.auditEvents("acme", 1);
    assert(superseded?.handoff.status === "created");
    assertEquals(superseded.handoff.ticket.reference, "42");
    const warnings = test.lines.filter(({ level }) => level === "warn");
    assertEquals(
      warnings.map(({ event, ticket, reference }) => ({ event, ticket, reference })),
      [{ event: "handoff_superseded", ticket: "42", reference: request.reference }],
    );
  });
}

Deno.test("a failure after another attempt recorded its outcome adds nothing", async () => {
  const desk = new ScriptedDesk(failedWith());
  using test = await openTestDependencies({ desk });
  recordMeanwhile(test, desk, finalWithTicket("7", AT));
  assertEquals(submittedRequest(await submitRequest(test.deps)).handoff, finalWithTicket("7", AT));
  assertEquals(await test.audit(), ["request.submitted", "handoff.created"]);
});

Deno.test("a superseded ticket that cannot be audited is logged with its number", async () => {
  const desk = new ScriptedDesk(createdAs("42"));
  using test = await openTestDependencies({ desk });
  recordMeanwhile(test, desk, finalWithTicket("7", AT));
  const recordSuperseded: Store["recordSuperseded"] = () =>
    Promise.reject(new StoreUnavailableError("KV failed"));
  await submitRequest({ ...test.deps, store: { ...test.store, recordSuperseded } });
  const [line] = test.lines.filter(({ level }) => level === "error");
  assertEquals(line?.ticket, "42");
});

Deno.test("finalize of a record that a newer version wrote only logs its ticket", async () => {
  const desk = new ScriptedDesk(createdAs("42"));
  using test = await openTestDependencies({ desk });
  let before: Deno.KvEntry<unknown>[] = [];
  desk.onCreate = async () => {
    const stored = await test.store.latest(ACME);
    const record = { ...stored!.record as object, schema: 2, handoff: finalWithTicket("7", AT) };
    await test.kv.set(requestKey(ACME, stored!.ts), record);
    before = await test.changes();
    return createdAs("42");
  };
  const request = submittedRequest(await submitRequest(test.deps));
  assertEquals(request.handoff, finalWithTicket("7", AT));
  assertEquals(await test.changes(), before);
  const errors = test.lines.filter(({ level }) => level === "error");
  assertEquals(errors.map(({ event, ticket }) => [event, ticket]), [
    ["superseded_ticket_lost", "42"],
  ]);
});

Deno.test("finalize of an erased request writes nothing and logs its ticket", async () => {
  const desk = new ScriptedDesk(createdAs("42"));
  using test = await openTestDependencies({ desk });
  desk.onCreate = async () => {
    for await (const { key } of test.kv.list({ prefix: [] })) await test.kv.delete(key);
    return createdAs("42");
  };
  await submitRequest(test.deps);
  assertEquals(await test.changes(), []);
  const errors = test.lines.filter(({ level }) => level === "error");
  assertEquals(errors.map(({ event, ticket }) => [event, ticket]), [
    ["superseded_ticket_lost", "42"],
  ]);
});

Deno.test("a resume that cannot be recorded leaves the desk time to finish the creation", async () => {
  const desk = new ScriptedDesk(failedWith());
  using test = await openTestDependencies({ desk });
  await crashDuringHandoff(test, "k-1");
  await submitRequest(withFailingStore(test, Infinity).deps, { key: "k-1" });
  assertEquals(desk.calls, ["find", "create", "find"]);
  assertEquals((await submitRequest(test.deps, { key: "k-1" })).outcome, "in_progress");
  assertEquals(desk.calls.length, 3);
  // By then the desk has finished the creation that timed out.
  desk.onFind = () => foundAs("42");
  test.clock.time += OVERDUE_MS + 1;
  const { handoff } = submittedRequest(await submitRequest(test.deps, { key: "k-1" }));
  assert(handoff.status === "created");
  assertEquals(handoff.ticket.reference, "42");
});

Deno.test("a resumed ticket that cannot be recorded can be adopted immediately", async () => {
  const desk = new ScriptedDesk(createdAs("42"));
  using test = await openTestDependencies({ desk });
  await crashDuringHandoff(test, "k-1");
  await submitRequest(withFailingStore(test, Infinity).deps, { key: "k-1" });
  desk.onFind = () => foundAs("42");
  assertEquals(
    submittedRequest(await submitRequest(test.deps, { key: "k-1" })).handoff.status,
    "created",
  );
});
