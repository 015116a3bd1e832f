import { assert, assertEquals, assertRejects } from "@std/assert";
import type { SupportContext } from "../../domain/model/context.ts";
import { toTimestamp } from "../../domain/model/handoff.ts";
import { type Store, StoreUnavailableError } from "../../domain/ports/store.ts";
import {
  ACTOR,
  failedWith,
  openTestDependencies,
  OVERDUE_MS,
  ScriptedDesk,
  submitRequest,
  submittedRequest,
  ticket,
} from "./fixtures.ts";
import { ACME, START } from "../support/constants.ts";
import { idempotencyKey } from "../../kv/keys.ts";

const RUN: SupportContext = { kind: "run", tenantId: "acme", runId: "r-1" };
const at = toTimestamp(START);

Deno.test("submit with mode none stores the request and does not call the desk", async () => {
  const desk = new ScriptedDesk();
  using test = await openTestDependencies({ desk });
  const result = await submitRequest(test.deps, { handoff: { mode: "none" } });
  assert(result.outcome === "submitted");
  assertEquals(result.replayed, false);
  assertEquals(result.request.handoff, { status: "none" });
  assertEquals(result.request.createdBy, ACTOR);
  assertEquals((await test.store.latest(ACME))?.request, result.request);
  assertEquals(desk.calls, []);
  assertEquals(await test.audit(), ["request.submitted"]);
});

Deno.test("submit with mode create returns the ticket that the desk created", async () => {
  const desk = new ScriptedDesk();
  using test = await openTestDependencies({ desk });
  const request = submittedRequest(await submitRequest(test.deps, { context: RUN }));
  assertEquals(request.handoff, { status: "created", ticket: ticket("42"), at });
  assertEquals((await test.store.latest(RUN))?.request, request);
  assertEquals(await test.store.latest(ACME), null);
  assertEquals(desk.calls, ["create"]);
  assertEquals(await test.audit(), ["request.submitted", "handoff.created"]);
});

Deno.test("submit stores the request as pending before it calls the desk", async () => {
  const desk = new ScriptedDesk();
  using test = await openTestDependencies({ desk });
  const seen: unknown[] = [];
  desk.onCreate = async (request) => {
    seen.push((await test.store.latest(ACME))?.request, await test.audit());
    const until = toTimestamp(START + 15_000);
    assertEquals(request.handoff, { status: "pending", since: at, until });
    seen.push(request);
    return failedWith();
  };
  await submitRequest(test.deps);
  const [stored, audit, sent] = seen;
  assertEquals(stored, sent);
  assertEquals(audit, ["request.submitted"]);
});

Deno.test("submit keeps the request when the desk fails, and returns what is known", async () => {
  const desk = new ScriptedDesk(failedWith({ reason: "desk_rejected", ticketMayExist: false }));
  using test = await openTestDependencies({ desk });
  const request = submittedRequest(await submitRequest(test.deps));
  assert(request.handoff.status === "failed");
  assertEquals(request.handoff.reason, "desk_rejected");
  assertEquals(request.handoff.ticketMayExist, false);
  assertEquals((await test.store.latest(ACME))?.request, request);
  assertEquals(await test.audit(), ["request.submitted", "handoff.failed"]);
});

Deno.test("submit with mode link is final immediately and does not call the desk", async () => {
  const desk = new ScriptedDesk();
  using test = await openTestDependencies({ desk });
  const result = await submitRequest(test.deps, { handoff: { mode: "link", ticket: "7" } });
  assertEquals(submittedRequest(result).handoff, { status: "linked", ticket: ticket("7"), at });
  assertEquals(desk.calls, []);
  assertEquals(await test.audit(), ["request.submitted"]);
});

Deno.test("submit stores nothing if the ticket to link is invalid or no desk is configured", async () => {
  for (const desk of [new ScriptedDesk(), null]) {
    using test = await openTestDependencies({ desk });
    const link = desk === null ? "7" : "https://elsewhere.example/7";
    const handoff = { mode: "link", ticket: link } as const;
    assertEquals(await submitRequest(test.deps, { handoff, key: "k-1" }), {
      outcome: "not_a_ticket",
    });
    assertEquals(await test.changes(), []);
  }
});

Deno.test("submit replays a link by its key even if the desk has changed since", async () => {
  using test = await openTestDependencies();
  const options = { handoff: { mode: "link", ticket: "7" }, key: "k-1" } as const;
  const request = submittedRequest(await submitRequest(test.deps, options));
  const elsewhere = new ScriptedDesk();
  elsewhere.resolveTicket = () => null;
  for (const desk of [elsewhere, null]) {
    const deps = { ...test.deps, desk };
    assertEquals(await submitRequest(deps, options), {
      outcome: "submitted",
      request,
      replayed: true,
    });
    const other = { ...options, summary: "Something else" };
    assertEquals(await submitRequest(deps, other), { outcome: "key_reused" });
  }
  assertEquals(await test.audit(), ["request.submitted"]);
});

Deno.test("submit without a desk stores the request and says that no ticket was created", async () => {
  using test = await openTestDependencies({ desk: null });
  const request = submittedRequest(await submitRequest(test.deps));
  assert(request.handoff.status === "failed");
  assertEquals(request.handoff.reason, "desk_not_configured");
  assertEquals(test.lines.map(({ outcome }) => outcome), ["desk_not_configured"]);
  assertEquals(request.handoff.ticketMayExist, false);
  assertEquals((await test.store.latest(ACME))?.request, request);
  assertEquals(await test.audit(), ["request.submitted"]);
});

Deno.test("submit sends nothing to the desk if the store failed", async () => {
  const desk = new ScriptedDesk();
  using test = await openTestDependencies({ desk });
  const append: Store["append"] = () => Promise.reject(new StoreUnavailableError("KV failed"));
  const deps = { ...test.deps, store: { ...test.store, append } };
  for (const key of [undefined, "k-1"]) {
    await assertRejects(() => submitRequest(deps, { ...key && { key } }), StoreUnavailableError);
  }
  assertEquals(desk.calls, []);
});

Deno.test("submit leaves the handoff pending if storing took too long, to be resumed", async () => {
  const desk = new ScriptedDesk();
  using test = await openTestDependencies({ desk });
  const append: Store["append"] = async (...args) => {
    const appended = await test.store.append(...args);
    await test.clock.wait(5_001);
    return appended;
  };
  const slow = { ...test.deps, store: { ...test.store, append } };
  const request = submittedRequest(await submitRequest(slow, { key: "k-1" }));
  assertEquals(request.handoff.status, "pending");
  assertEquals(desk.calls, []);
  test.clock.time += OVERDUE_MS + 1;
  assertEquals(
    submittedRequest(await submitRequest(test.deps, { key: "k-1" })).handoff.status,
    "created",
  );
  assertEquals(desk.calls, ["find", "create"]);
});

Deno.test("submit with the same key and body returns the stored request", async () => {
  const desk = new ScriptedDesk();
  using test = await openTestDependencies({ desk });
  for (const mode of ["create", "none"] as const) {
    const options = { key: mode, handoff: { mode } };
    const request = submittedRequest(await submitRequest(test.deps, options));
    test.clock.time += 1000;
    const before = await test.changes();
    assertEquals(await submitRequest(test.deps, options), {
      outcome: "submitted",
      request,
      replayed: true,
    });
    assertEquals(await test.changes(), before);
  }
  assertEquals(desk.calls, ["create"]);
});

Deno.test("submit with the same key and another body or context stores nothing", async () => {
  const desk = new ScriptedDesk();
  using test = await openTestDependencies({ desk });
  await submitRequest(test.deps, { key: "k-1" });
  const before = await test.changes();
  for (const other of [{ summary: "Another" }, { context: RUN }, { handoff: { mode: "none" } }]) {
    const options = { key: "k-1", ...other } as Parameters<typeof submitRequest>[1];
    assertEquals(await submitRequest(test.deps, options), { outcome: "key_reused" });
  }
  assertEquals(await test.changes(), before);
  assertEquals(desk.calls, ["create"]);
});

Deno.test("submit with an expired key stores a new request", async () => {
  using test = await openTestDependencies();
  const first = submittedRequest(await submitRequest(test.deps, { key: "k-1" }));
  test.clock.time += 24 * 60 * 60 * 1000;
  const results = await Promise.all([1, 2, 3].map(() => submitRequest(test.deps, { key: "k-1" })));
  const stored = results.filter((result) => result.outcome === "submitted" && !result.replayed);
  assertEquals(stored.length, 1);
  assert(submittedRequest(stored[0]!).reference !== first.reference);
});

Deno.test("submit with a key that expires during the lookup stores a new request", async () => {
  using test = await openTestDependencies();
  const first = submittedRequest(await submitRequest(test.deps, { key: "k-1" }));
  test.clock.time += 24 * 60 * 60 * 1000;
  const findKey: Store["findKey"] = async (scope) => {
    const found = await test.store.findKey(scope);
    await test.kv.delete(idempotencyKey({ tenantId: "acme", actorId: ACTOR.id, key: "k-1" }));
    return found;
  };
  const deps = { ...test.deps, store: { ...test.store, findKey } };
  const second = await submitRequest(deps, { key: "k-1" });
  assert(second.outcome === "submitted" && !second.replayed);
  assert(second.request.reference !== first.reference);
  assertEquals((await test.store.latest(ACME))?.request, second.request);
});

Deno.test("32 concurrent submissions with one key create one request and one ticket", async () => {
  const desk = new ScriptedDesk();
  using test = await openTestDependencies({ desk });
  const results = await Promise.all(
    Array.from({ length: 32 }, () => submitRequest(test.deps, { key: "k" })),
  );
  const first = results.filter((result) => result.outcome === "submitted" && !result.replayed);
  assertEquals(first.length, 1);
  assertEquals(desk.calls, ["create"]);
  assertEquals(await test.audit(), ["request.submitted", "handoff.created"]);
});

Deno.test("submit logs the ticket number and no user input", async () => {
  using test = await openTestDependencies();
  const request = submittedRequest(
    await submitRequest(test.deps, { summary: "SECRET-SUMMARY", key: "SECRET-KEY" }),
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
      ["info", "handoff_created", undefined, "42"],
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
