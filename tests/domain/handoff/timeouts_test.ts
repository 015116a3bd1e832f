import { assertEquals, assertStrictEquals } from "@std/assert";
import { toTimestamp } from "../../../domain/model/handoff.ts";
import { isInterrupted, withInterruption } from "../../../domain/handoff/timeouts.ts";
import { getLatest } from "../../../domain/get_latest.ts";
import type { SupportRequest } from "../../../domain/model/support_request.ts";
import { ACTOR, crashDuringHandoff, openTestDependencies, ticket } from "../fixtures.ts";
import { ACME, START } from "../../support/constants.ts";

const since = toTimestamp(START);

function requestWith(handoff: SupportRequest["handoff"]): SupportRequest {
  return {
    schema: 1,
    reference: "SR-01K9000000000000000000000A",
    context: ACME,
    summary: "Printer on fire",
    severity: "normal",
    createdAt: since,
    createdBy: ACTOR,
    handoff,
  };
}

for (const durationMs of [10_100, 15_000, 60_000]) {
  Deno.test(`a handoff is interrupted after its stored deadline of ${durationMs} ms`, () => {
    const pending = { status: "pending", since, until: toTimestamp(START + durationMs) } as const;
    assertEquals(isInterrupted(pending, START + durationMs), false);
    assertEquals(isInterrupted(pending, START + durationMs + 1), true);
    assertEquals(isInterrupted(pending, START - 3_600_000), false);
  });
}

Deno.test("a handoff of version 1, without a deadline, has the longest possible one", () => {
  const pending = { status: "pending", since } as const;
  assertEquals(isInterrupted(pending, START + 15_000), false);
  assertEquals(isInterrupted(pending, START + 15_001), true);
});

for (const deskTimeoutMs of [100, 5000]) {
  Deno.test(`a handoff with a desk timeout of ${deskTimeoutMs} ms stores its deadline`, async () => {
    using test = await openTestDependencies();
    await crashDuringHandoff({ ...test, deps: { ...test.deps, deskTimeoutMs } });
    const { handoff } = (await test.store.latest(ACME))!.request;
    // The desk timeout, the start delay and the clock skew.
    const until = toTimestamp(START + deskTimeoutMs + 5_000 + 5_000);
    assertEquals(handoff, { status: "pending", since, until });
  });
}

Deno.test("a final handoff is never interrupted", () => {
  const at = since;
  const failure = { reason: "desk_error", summary: "s", ticketMayExist: false } as const;
  for (
    const handoff of [
      { status: "none" },
      { status: "created", ticket: ticket("1"), at },
      { status: "linked", ticket: ticket("1"), at },
      { status: "failed", ...failure, at },
    ] as const
  ) {
    assertEquals(isInterrupted(handoff, START + 1e12), false);
    const request = requestWith(handoff);
    assertStrictEquals(withInterruption(request, START + 1e12), request);
  }
});

Deno.test("a pending handoff is shown as pending until its deadline", () => {
  const request = requestWith({ status: "pending", since });
  assertStrictEquals(withInterruption(request, START + 15_000), request);
});

Deno.test("an interrupted handoff reads the same every time", () => {
  const request = requestWith({ status: "pending", since });
  const first = withInterruption(request, START + 15_001);
  assertEquals(first.handoff, {
    status: "failed",
    reason: "interrupted",
    ticketMayExist: true,
    summary: "Sending the request was interrupted; a ticket may exist. Your request is saved as " +
      `${request.reference}. Check it again, or give support that reference.`,
    at: toTimestamp(START + 15_000),
  });
  assertEquals(withInterruption(request, START + 1e12), first);
});

Deno.test("getLatest shows an interrupted handoff as failed and writes nothing", async () => {
  using test = await openTestDependencies();
  await crashDuringHandoff(test);
  const before = await test.changes();
  for (let i = 0; i < 3; i++) {
    test.clock.time += 1000;
    const { supportRequest } = await getLatest(test.deps, ACME);
    assertEquals(supportRequest?.handoff.status, "failed");
  }
  assertEquals(await test.changes(), before);
});
