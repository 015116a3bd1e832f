import { assertEquals, assertLess } from "@std/assert";
import type { UngatedDesk } from "../../desk/gate.ts";
import { createRequestTracker, type RequestTrackerSettings } from "../../desk/request_tracker.ts";
import type { FailureReason } from "../../domain/model/failure.ts";
import type {
  CreateTicketResult,
  FindTicketResult,
  Responsiveness,
} from "../../domain/ports/desk.ts";
import { type FakeDesk, startFakeDesk } from "../demo/fake_desk.ts";
import { supportRequest } from "../support/records.ts";

export const OTHER_REFERENCE = "SR-01K9ABCDEFGHJKMNPQRSTVWXYY";

export const settings: Omit<RequestTrackerSettings, "url"> = {
  token: "demo-token",
  queue: "Support",
  label: "Acme IT desk",
  referenceField: "SupportRef",
};

/** A desk timeout that expires in a test. */
export const SHORT_MS = 200;
/** A desk timeout that no test reaches: a call that needs it has failed to end by itself. */
export const LONG_MS = 5000;

type FailedCreation = Extract<CreateTicketResult, { outcome: "failed" }>;

/** What a reason shows about the desk; any other reason shows that it responded. */
const RESPONSIVENESS: Partial<Record<FailureReason, Responsiveness | undefined>> = {
  desk_timeout: "timed_out",
  desk_connection_lost: undefined,
  desk_unreachable: undefined,
};

/** Returns the result of a failed creation. */
export function failure(
  reason: FailureReason,
  ticketMayExist: boolean,
  respondedByDesk = false,
): FailedCreation {
  const responsiveness = reason in RESPONSIVENESS ? RESPONSIVENESS[reason] : "responded";
  return {
    outcome: "failed",
    failure: { reason, ticketMayExist },
    respondedByDesk,
    responsiveness,
  };
}

/** Creates a ticket at `url`, and asserts the result and that it came in time. */
export async function assertCreation(
  url: string,
  expected: CreateTicketResult,
  timeoutMs: number,
): Promise<void> {
  const desk = createRequestTracker({ ...settings, url }, fetch);
  const startedAt = performance.now();
  const result = await desk.createTicket(supportRequest(), AbortSignal.timeout(timeoutMs));
  const elapsed = performance.now() - startedAt;
  assertEquals(withoutTrace(result), expected);
  // One second of tolerance, because timers are late on a busy machine.
  assertLess(elapsed, timeoutMs === LONG_MS ? LONG_MS - 1000 : timeoutMs + 1000);
}

/** Removes the trace, which is only logged. */
export function withoutTrace<Result extends CreateTicketResult | FindTicketResult>(
  result: Result,
): Result {
  if (!("trace" in result)) return result;
  const { trace: _, ...rest } = result;
  return rest as Result;
}

export function inTime(): AbortSignal {
  return AbortSignal.timeout(5000);
}

/** Tests a client of a fake desk. */
export function deskTest(
  name: string,
  run: (fake: FakeDesk, desk: UngatedDesk) => Promise<void>,
  changes: Partial<RequestTrackerSettings> = {},
) {
  Deno.test(name, async () => {
    const fake = startFakeDesk({
      referenceField: changes.referenceField,
      now: () => Date.parse(supportRequest().createdAt),
    });
    try {
      await run(fake, createRequestTracker({ ...settings, ...fake, ...changes }, fetch));
    } finally {
      await fake.close();
    }
  });
}
