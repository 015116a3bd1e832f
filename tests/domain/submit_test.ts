import { assert, assertEquals, assertRejects } from "@std/assert";
import type { SupportContext } from "../../domain/model/context.ts";
import { toTimestamp } from "../../domain/model/handoff.ts";
import { type Store, StoreUnavailableError } from "../../domain/ports/store.ts";
import {
  ACTOR,
  ask,
  failedWith,
  openDeskhand,
  OVERDUE_MS,
  requestOf,
  ScriptedDesk,
  ticket,
} from "./fixtures.ts";
import { ACME, START } from "../support/constants.ts";

const RUN: SupportContext = { kind: "run", tenantId: "acme", runId: "r-1" };
const at = toTimestamp(START);

Deno.test("submit for no desk stores the request and asks the desk nothing", async () => {
  const desk = new ScriptedDesk();
  using test = await openDeskhand({ desk });
  const result = await ask(test.deps, { handoff: { mode: "none" } });
  assert(result.outcome === "submitted");
  assertEquals(result.replayed, false);
  assertEquals(result.request.handoff, { status: "none" });
  assertEquals(result.request.createdBy, ACTOR);
  assertEquals((await test.store.latest(ACME))?.request, result.request);
  assertEquals(desk.asked, []);
  assertEquals(await test.audit(), ["request.submitted"]);
});

Deno.test("submit to a desk ends with the ticket that the desk made", async () => {
  const desk = new ScriptedDesk();
  using test = await openDeskhand({ desk });
  const request = requestOf(await ask(test.deps, { context: RUN }));
  assertEquals(request.handoff, { status: "created", ticket: ticket("42"), at });
  assertEquals((await test.store.latest(RUN))?.request, request);
  assertEquals(await test.store.latest(ACME), null);
  assertEquals(desk.asked, ["create"]);
  assertEquals(await test.audit(), ["request.submitted", "handoff.created"]);
});

Deno.test("submit has stored the request as pending before the desk hears of it", async () => {
  const desk = new ScriptedDesk();
  using test = await openDeskhand({ desk });
  const seen: unknown[] = [];
  desk.onCreate = async (request) => {
    seen.push((await test.store.latest(ACME))?.request, await test.audit());
    const until = toTimestamp(START + 15_000);
    assertEquals(request.handoff, { status: "pending", since: at, until });
    seen.push(request);
    return failedWith();
  };
  await ask(test.deps);
  const [stored, audit, sent] = seen;
  assertEquals(stored, sent);
  assertEquals(audit, ["request.submitted"]);
});

Deno.test("submit keeps a request that the desk failed, and says what is known", async () => {
  const desk = new ScriptedDesk(failedWith({ reason: "desk_rejected", ticketMayExist: false }));
  using test = await openDeskhand({ desk });
  const request = requestOf(await ask(test.deps));
  assert(request.handoff.status === "failed");
  assertEquals(request.handoff.reason, "desk_rejected");
  assertEquals(request.handoff.ticketMayExist, false);
  assertEquals((await test.store.latest(ACME))?.request, request);
  assertEquals(await test.audit(), ["request.submitted", "handoff.failed"]);
});

Deno.test("submit with a ticket to link asks the desk nothing and is settled at once", async () => {
  const desk = new ScriptedDesk();
  using test = await openDeskhand({ desk });
  const result = await ask(test.deps, { handoff: { mode: "link", ticket: "7" } });
  assertEquals(requestOf(result).handoff, { status: "linked", ticket: ticket("7"), at });
  assertEquals(desk.asked, []);
  assertEquals(await test.audit(), ["request.submitted"]);
});

Deno.test("submit stores nothing where the ticket to link is none, or there is no desk", async () => {
  for (const desk of [new ScriptedDesk(), null]) {
    using test = await openDeskhand({ desk });
    const link = desk === null ? "7" : "https://elsewhere.example/7";
    const handoff = { mode: "link", ticket: link } as const;
    assertEquals(await ask(test.deps, { handoff, key: "k-1" }), { outcome: "not_a_ticket" });
    assertEquals(await test.changes(), []);
  }
});

Deno.test("submit repeats a link by its key, also where the desk is another one by now", async () => {
  using test = await openDeskhand();
  const asked = { handoff: { mode: "link", ticket: "7" }, key: "k-1" } as const;
  const request = requestOf(await ask(test.deps, asked));
  const elsewhere = new ScriptedDesk();
  elsewhere.resolveTicket = () => null;
  for (const desk of [elsewhere, null]) {
    const deps = { ...test.deps, desk };
    assertEquals(await ask(deps, asked), { outcome: "submitted", request, replayed: true });
    const other = { ...asked, summary: "Something else" };
    assertEquals(await ask(deps, other), { outcome: "key_reused" });
  }
  assertEquals(await test.audit(), ["request.submitted"]);
});

Deno.test("submit without a desk keeps the request and says that no ticket was made", async () => {
  using test = await openDeskhand({ desk: null });
  const request = requestOf(await ask(test.deps));
  assert(request.handoff.status === "failed");
  assertEquals(request.handoff.reason, "desk_not_configured");
  assertEquals(test.lines.map(({ outcome }) => outcome), ["desk_not_configured"]);
  assertEquals(request.handoff.ticketMayExist, false);
  assertEquals((await test.store.latest(ACME))?.request, request);
  assertEquals(await test.audit(), ["request.submitted"]);
});

Deno.test("submit sends the desk nothing where the store did not take the request", async () => {
  const desk = new ScriptedDesk();
  using test = await openDeskhand({ desk });
  const append: Store["append"] = () => Promise.reject(new StoreUnavailableError("KV is away"));
  const deps = { ...test.deps, store: { ...test.store, append } };
  for (const key of [undefined, "k-1"]) {
    await assertRejects(() => ask(deps, { ...key && { key } }), StoreUnavailableError);
  }
  assertEquals(desk.asked, []);
});

Deno.test("submit leaves the handoff pending where the store took so long that another may resume it", async () => {
  const desk = new ScriptedDesk();
  using test = await openDeskhand({ desk });
  const append: Store["append"] = async (...args) => {
    const appended = await test.store.append(...args);
    await test.clock.wait(5_001);
    return appended;
  };
  const slow = { ...test.deps, store: { ...test.store, append } };
  const request = requestOf(await ask(slow, { key: "k-1" }));
  assertEquals(request.handoff.status, "pending");
  assertEquals(desk.asked, []);
  test.clock.time += OVERDUE_MS + 1;
  assertEquals(requestOf(await ask(test.deps, { key: "k-1" })).handoff.status, "created");
  assertEquals(desk.asked, ["find", "create"]);
});

Deno.test("submit with the same key and body answers with the stored request, once made", async () => {
  const desk = new ScriptedDesk();
  using test = await openDeskhand({ desk });
  for (const mode of ["create", "none"] as const) {
    const asked = { key: mode, handoff: { mode } };
    const request = requestOf(await ask(test.deps, asked));
    test.clock.time += 1000;
    const before = await test.changes();
    assertEquals(await ask(test.deps, asked), {
      outcome: "submitted",
      request,
      replayed: true,
    });
    assertEquals(await test.changes(), before);
  }
  assertEquals(desk.asked, ["create"]);
});

Deno.test("submit with the same key and another body or context stores nothing", async () => {
  const desk = new ScriptedDesk();
  using test = await openDeskhand({ desk });
  await ask(test.deps, { key: "k-1" });
  const before = await test.changes();
  for (const other of [{ summary: "Another" }, { context: RUN }, { handoff: { mode: "none" } }]) {
    const asked = { key: "k-1", ...other } as Parameters<typeof ask>[1];
    assertEquals(await ask(test.deps, asked), { outcome: "key_reused" });
  }
  assertEquals(await test.changes(), before);
  assertEquals(desk.asked, ["create"]);
});

Deno.test("submit with a key that has expired is a new request", async () => {
  using test = await openDeskhand();
  const first = requestOf(await ask(test.deps, { key: "k-1" }));
  test.clock.time += 24 * 60 * 60 * 1000;
  const results = await Promise.all([1, 2, 3].map(() => ask(test.deps, { key: "k-1" })));
  const stored = results.filter((result) => result.outcome === "submitted" && !result.replayed);
  assertEquals(stored.length, 1);
  assert(requestOf(stored[0]!).reference !== first.reference);
});

Deno.test("submit with a key that has expired, and that KV drops just then, is a new request", async () => {
  using test = await openDeskhand();
  const first = requestOf(await ask(test.deps, { key: "k-1" }));
  test.clock.time += 24 * 60 * 60 * 1000;
  const findKey: Store["findKey"] = async (scope) => {
    const found = await test.store.findKey(scope);
    await test.kv.delete(["idempotency", "acme", ACTOR.id, "k-1"]);
    return found;
  };
  const deps = { ...test.deps, store: { ...test.store, findKey } };
  const second = await ask(deps, { key: "k-1" });
  assert(second.outcome === "submitted" && !second.replayed);
  assert(second.request.reference !== first.reference);
  assertEquals((await test.store.latest(ACME))?.request, second.request);
});

Deno.test("submit of 32 at once with one key makes one request and one ticket", async () => {
  const desk = new ScriptedDesk();
  using test = await openDeskhand({ desk });
  const results = await Promise.all(
    Array.from({ length: 32 }, () => ask(test.deps, { key: "k" })),
  );
  const made = results.filter((result) => result.outcome === "submitted" && !result.replayed);
  assertEquals(made.length, 1);
  assertEquals(desk.asked, ["create"]);
  assertEquals(await test.audit(), ["request.submitted", "handoff.created"]);
});

Deno.test("submit logs the ticket's number and nothing that was typed", async () => {
  using test = await openDeskhand();
  const request = requestOf(
    await ask(test.deps, { summary: "SECRET-SUMMARY", key: "SECRET-KEY" }),
  );
  assertEquals(
    test.lines.map(({ level, event, outcome, reason, ticket }) => [
      level,
      event,
      outcome ?? reason,
      ticket,
    ]),
    [
      ["info", "request_stored", "pending", undefined],
      ["info", "handoff_created", "created", "42"],
    ],
  );
  for (const line of test.lines) {
    assertEquals([line.reference, line.tenantId, line.requestId], [
      request.reference,
      "acme",
      "req-1",
    ]);
    assert(!JSON.stringify(line).includes("SECRET"));
  }
});
