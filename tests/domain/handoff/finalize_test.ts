import { assert, assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import type { FinalHandoff } from "../../../domain/model/handoff.ts";
import { type Store, StoreUnavailableError } from "../../../domain/ports/store.ts";
import {
  ask,
  createdAs,
  failedWith,
  foundAs,
  interrupt,
  openDeskhand,
  OVERDUE_MS,
  requestOf,
  ScriptedDesk,
} from "../fixtures.ts";
import { ACME } from "../../support/constants.ts";

type TestDeskhand = Awaited<ReturnType<typeof openDeskhand>>;

/** The deps over a store that refuses to finalize `times`, then takes it. */
function refusing({ deps, store }: TestDeskhand, times: number) {
  let tries = 0;
  const finalize: Store["finalize"] = (stored, handoff) =>
    tries++ < times
      ? Promise.reject(new StoreUnavailableError("KV failed"))
      : store.finalize(stored, handoff);
  return { deps: { ...deps, store: { ...store, finalize } }, tries: () => tries };
}

/** Has the handoff settled by somebody else while the desk is being asked. */
function settledMeanwhile(test: TestDeskhand, desk: ScriptedDesk, handoff: FinalHandoff): void {
  const creation = desk.onCreate;
  desk.onCreate = async (request, signal) => {
    const stored = await test.store.latest(ACME);
    assert(stored !== null && await test.store.finalize(stored, handoff));
    return creation(request, signal);
  };
}

function settledAs(ticket: string, at: string): FinalHandoff {
  const creation = createdAs(ticket);
  assert(creation.outcome === "created");
  return { status: "created", ticket: creation.ticket, at };
}

const AT = "2026-11-23T12:00:00.500Z";
const FAILED: FinalHandoff = {
  status: "failed",
  reason: "desk_timeout",
  summary: "The desk did not answer in time",
  ticketMayExist: true,
  at: AT,
};

Deno.test("finalize is tried again while the store refuses it", async () => {
  using test = await openDeskhand();
  const { deps, tries } = refusing(test, 4);
  const request = requestOf(await ask(deps));
  assertEquals(request.handoff.status, "created");
  assertEquals((await test.store.latest(ACME))?.request, request);
  assertEquals(tries(), 5);
  assertEquals(await test.audit(), ["request.submitted", "handoff.created"]);
  assertEquals(test.lines.filter(({ level }) => level === "error"), []);
});

Deno.test("finalize gives up after two seconds, answers what is stored, and logs the ticket", async () => {
  using test = await openDeskhand();
  const { deps, tries } = refusing(test, Infinity);
  const request = requestOf(await ask(deps));
  assertEquals(request.handoff.status, "pending");
  assertEquals((await test.store.latest(ACME))?.request, request);
  assertLessOrEqual(test.clock.elapsed(), 2000);
  // Each pause is twice the one before: the next one would have ended after the two seconds.
  assertGreater(test.clock.elapsed(), 1000);
  assertGreater(tries(), 3);
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

Deno.test("finalize of a failure that the store refuses logs no ticket", async () => {
  using test = await openDeskhand({ desk: new ScriptedDesk(failedWith()) });
  const request = requestOf(await ask(refusing(test, Infinity).deps));
  assertEquals(request.handoff.status, "pending");
  const [line] = test.lines.filter(({ level }) => level === "error");
  assert(line !== undefined && !("ticket" in line));
});

Deno.test("finalize that the store refused ends with the same ticket once the client repeats", async () => {
  const desk = new ScriptedDesk(createdAs("42"), foundAs("42"));
  using test = await openDeskhand({ desk });
  await ask(refusing(test, Infinity).deps, { key: "k-1" });
  test.clock.time += OVERDUE_MS + 1;
  const { handoff } = requestOf(await ask(test.deps, { key: "k-1" }));
  assert(handoff.status === "created");
  assertEquals(handoff.ticket.reference, "42");
  assertEquals(desk.asked, ["create", "find"]);
});

Deno.test("finalize that landed though the store said that it failed is found to be done", async () => {
  using test = await openDeskhand();
  let tries = 0;
  const finalize: Store["finalize"] = async (stored, handoff) => {
    const isDone = await test.store.finalize(stored, handoff);
    if (tries++ === 0) throw new StoreUnavailableError("KV did not answer within 2000 ms");
    return isDone;
  };
  const request = requestOf(
    await ask({ ...test.deps, store: { ...test.store, finalize } }),
  );
  assertEquals(request.handoff.status, "created");
  assertEquals(await test.audit(), ["request.submitted", "handoff.created"]);
});

Deno.test("finalize that lost to the same ticket has nothing to add", async () => {
  const desk = new ScriptedDesk(createdAs("42"));
  using test = await openDeskhand({ desk });
  settledMeanwhile(test, desk, settledAs("42", AT));
  const request = requestOf(await ask(test.deps));
  assertEquals(request.handoff, settledAs("42", AT));
  assertEquals(await test.audit(), ["request.submitted", "handoff.created"]);
});

for (
  const [stored, handoff] of [["another ticket", settledAs("7", AT)], [
    "a failure",
    FAILED,
  ]] as const
) {
  Deno.test(`finalize that lost to ${stored} leaves it and audits its own ticket once`, async () => {
    const desk = new ScriptedDesk(createdAs("42"));
    using test = await openDeskhand({ desk });
    settledMeanwhile(test, desk, handoff);
    const request = requestOf(await ask(test.deps));
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

Deno.test("finalize of a failure that lost has nothing to add", async () => {
  const desk = new ScriptedDesk(failedWith());
  using test = await openDeskhand({ desk });
  settledMeanwhile(test, desk, settledAs("7", AT));
  assertEquals(requestOf(await ask(test.deps)).handoff, settledAs("7", AT));
  assertEquals(await test.audit(), ["request.submitted", "handoff.created"]);
});

Deno.test("finalize that cannot audit a superseded ticket logs its number", async () => {
  const desk = new ScriptedDesk(createdAs("42"));
  using test = await openDeskhand({ desk });
  settledMeanwhile(test, desk, settledAs("7", AT));
  const recordSuperseded: Store["recordSuperseded"] = () =>
    Promise.reject(new StoreUnavailableError("KV failed"));
  await ask({ ...test.deps, store: { ...test.store, recordSuperseded } });
  const [line] = test.lines.filter(({ level }) => level === "error");
  assertEquals(line?.ticket, "42");
});

Deno.test("finalize that lost to a newer version writes nothing and logs its ticket", async () => {
  const desk = new ScriptedDesk(createdAs("42"));
  using test = await openDeskhand({ desk });
  let before: Deno.KvEntry<unknown>[] = [];
  desk.onCreate = async () => {
    const stored = await test.store.latest(ACME);
    const record = { ...stored!.record as object, schema: 2, handoff: settledAs("7", AT) };
    await test.kv.set(["tenant", "acme", stored!.ts], record);
    before = await test.changes();
    return createdAs("42");
  };
  const request = requestOf(await ask(test.deps));
  assertEquals(request.handoff, settledAs("7", AT));
  assertEquals(await test.changes(), before);
  const errors = test.lines.filter(({ level }) => level === "error");
  assertEquals(errors.map(({ event, ticket }) => [event, ticket]), [
    ["superseded_ticket_lost", "42"],
  ]);
});

Deno.test("finalize of an erased request writes nothing and logs its ticket", async () => {
  const desk = new ScriptedDesk(createdAs("42"));
  using test = await openDeskhand({ desk });
  desk.onCreate = async () => {
    for await (const { key } of test.kv.list({ prefix: [] })) await test.kv.delete(key);
    return createdAs("42");
  };
  await ask(test.deps);
  assertEquals(await test.changes(), []);
  const errors = test.lines.filter(({ level }) => level === "error");
  assertEquals(errors.map(({ event, ticket }) => [event, ticket]), [
    ["superseded_ticket_lost", "42"],
  ]);
});

Deno.test("finalize of a resume that the store refused leaves the desk time to end", async () => {
  const desk = new ScriptedDesk(failedWith());
  using test = await openDeskhand({ desk });
  await interrupt(test, "k-1");
  await ask(refusing(test, Infinity).deps, { key: "k-1" });
  assertEquals(desk.asked, ["find", "create", "find"]);
  assertEquals((await ask(test.deps, { key: "k-1" })).outcome, "in_progress");
  assertEquals(desk.asked.length, 3);
  // By then the desk has ended what timed out.
  desk.onFind = () => foundAs("42");
  test.clock.time += OVERDUE_MS + 1;
  const { handoff } = requestOf(await ask(test.deps, { key: "k-1" }));
  assert(handoff.status === "created");
  assertEquals(handoff.ticket.reference, "42");
});

Deno.test("finalize of a resume with a ticket that the store refused needs no wait", async () => {
  const desk = new ScriptedDesk(createdAs("42"));
  using test = await openDeskhand({ desk });
  await interrupt(test, "k-1");
  await ask(refusing(test, Infinity).deps, { key: "k-1" });
  desk.onFind = () => foundAs("42");
  assertEquals(requestOf(await ask(test.deps, { key: "k-1" })).handoff.status, "created");
});
