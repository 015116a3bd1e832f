import { assertEquals, assertStrictEquals } from "@std/assert";
import { toTimestamp } from "../../../domain/model/handoff.ts";
import { isInterrupted, withInterruption } from "../../../domain/handoff/timeouts.ts";
import { getLatest } from "../../../domain/get_latest.ts";
import type { SupportRequest } from "../../../domain/model/support_request.ts";
import { ACTOR, interrupt, openDeskhand, ticket } from "../fixtures.ts";
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

for (const left of [10_100, 15_000, 60_000]) {
  Deno.test(`a handoff is interrupted once its stored deadline of ${left} ms is over`, () => {
    const pending = { status: "pending", since, until: toTimestamp(START + left) } as const;
    assertEquals(isInterrupted(pending, START + left), false);
    assertEquals(isInterrupted(pending, START + left + 1), true);
    assertEquals(isInterrupted(pending, START - 3_600_000), false);
  });
}

Deno.test("a handoff without a deadline, of version 1, has the longest that it may have had", () => {
  const pending = { status: "pending", since } as const;
  assertEquals(isInterrupted(pending, START + 15_000), false);
  assertEquals(isInterrupted(pending, START + 15_001), true);
});

for (const deskTimeoutMs of [100, 5000]) {
  Deno.test(`a handoff with ${deskTimeoutMs} ms for the desk stores when it is over`, async () => {
    using test = await openDeskhand();
    await interrupt({ ...test, deps: { ...test.deps, deskTimeoutMs } });
    const { handoff } = (await test.store.latest(ACME))!.request;
    // The desk timeout, the start delay and the clock skew.
    const until = toTimestamp(START + deskTimeoutMs + 5_000 + 5_000);
    assertEquals(handoff, { status: "pending", since, until });
  });
}

Deno.test("isInterrupted is never said of a handoff that is settled", () => {
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

Deno.test("withInterruption shows a pending handoff as it is until it is interrupted", () => {
  const request = requestWith({ status: "pending", since });
  assertStrictEquals(withInterruption(request, START + 15_000), request);
});

Deno.test("withInterruption says the same of an interrupted handoff at every read", () => {
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

Deno.test("latest derives an interruption and writes nothing", async () => {
  using test = await openDeskhand();
  await interrupt(test);
  const before = await test.changes();
  for (let i = 0; i < 3; i++) {
    test.clock.time += 1000;
    const { supportRequest } = await getLatest(test.deps, ACME);
    assertEquals(supportRequest?.handoff.status, "failed");
  }
  assertEquals(await test.changes(), before);
});
