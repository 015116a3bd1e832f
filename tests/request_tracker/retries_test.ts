/** Retries and restarts between submissions to a real Request Tracker. */
import { assert, assertEquals } from "@std/assert";
import type { SupportRequest } from "../../routes/v1/responses.ts";
import { waitFor } from "../support/wait_for.ts";
import { assertTicket } from "./assertions.ts";
import { type Deskhand, startDeskhand } from "./deskhand.ts";
import { type RequestTracker, startRequestTracker } from "./instance.ts";

let desk: RequestTracker;

Deno.test.beforeAll(async () => {
  desk = await startRequestTracker();
});

Deno.test.afterAll(async () => {
  await desk.stop();
});

const create = { mode: "create" };

Deno.test("a request is still the latest of its context after a restart", async () => {
  await using deskhand = await startDeskhand(desk);
  await deskhand.submit({ summary: "The first", handoff: create }, { run: "r-1" });
  const { body } = await deskhand.submit({ summary: "The last", handoff: create }, { run: "r-1" });
  const before = await deskhand.latest("r-1");
  assertEquals(before.supportRequest, body);
  await deskhand.stop();
  await deskhand.restart();
  assertEquals(await deskhand.latest("r-1"), before);
});

Deno.test("fifty concurrent submissions with one key are one request and one ticket", async () => {
  await using deskhand = await startDeskhand(desk);
  const key = crypto.randomUUID();
  const submit = () => deskhand.submit({ summary: `Key ${key}`, handoff: create }, { key });
  const responses = await Promise.all(Array.from({ length: 50 }, submit));
  const accepted = responses.filter(({ status }) => status === 201);
  const rejected = responses.filter(({ status }) => status === 409);
  assertEquals(accepted.length + rejected.length, 50);
  assert(rejected.every(({ headers }) => headers.has("Retry-After")));
  const [first, ...others] = accepted.filter(({ headers }) => !headers.has("Idempotent-Replayed"));
  assertEquals(others, []);
  const replay = await submit();
  assertEquals(replay.headers.get("Idempotent-Replayed"), "true");
  for (const { body } of [...accepted, replay]) assertEquals(body, first!.body);
  assertEquals(desk.tickets(key), [assertTicket(first!, desk).id]);
});

/** What agents, or the desk, may do to a ticket before a retry searches for it. */
const CHANGES: Record<string, Record<string, unknown>> = {
  untouched: {},
  "moved to another queue": { Queue: "Escalated" },
  "moved and renamed": { Queue: "Escalated", Subject: "Printer" },
  "stripped of its field": { CustomFields: { SupportRef: "" } },
};

Deno.test("a retry after a crash adopts the one ticket, whatever happened to it", async () => {
  await using deskhand = await startDeskhand(desk, { SUPPORT_DESK_TIMEOUT_MS: "2000" });
  const attempts = Object.entries(CHANGES).map(([name, change], index) => ({
    name,
    change,
    run: `r-${index}`,
    key: crypto.randomUUID(),
  }));
  const submit = ({ name, run, key }: typeof attempts[number]) =>
    deskhand.submit({ summary: `Interrupted ${name}`, handoff: create }, { run, key });

  desk.pause();
  const interruptedCalls = Promise.allSettled(attempts.map(submit));
  await desk.received(attempts.length);
  await deskhand.kill();
  assertEquals(
    (await interruptedCalls).map(({ status }) => status),
    attempts.map(() => "rejected"),
  );
  await deskhand.restart();
  const early = await submit(attempts[0]!);
  // What is left of the desk timeout of two seconds, the start delay and the clock skew.
  const retryAfter = Number(early.headers.get("Retry-After"));
  assert(early.status === 409 && 1 <= retryAfter && retryAfter <= 12, `${retryAfter} s`);
  desk.resume();
  await desk.idle();

  for (const { run, change, name } of attempts) {
    const { reference, handoff } = await interrupted(deskhand, run);
    assertEquals([handoff.status, "reason" in handoff && handoff.reason], [
      "failed",
      "interrupted",
    ]);
    const [id, ...others] = desk.tickets(reference);
    assertEquals(others, [], name);
    await changeTicket(id!, change);
  }
  for (const attempt of attempts) {
    const { handoff: before, reference } = (await deskhand.latest(attempt.run)).supportRequest!;
    assert("ticketMayExist" in before && before.ticketMayExist);
    const retry = await submit(attempt);
    assertEquals(retry.headers.get("Idempotent-Replayed"), "true");
    assertEquals(retry.body.reference, reference);
    assertTicket(retry, desk);
    assertEquals((await deskhand.latest(attempt.run)).supportRequest, retry.body);
  }
});

/** Returns the context's latest request once its handoff no longer counts as pending. */
async function interrupted(deskhand: Deskhand, run: string): Promise<SupportRequest> {
  const read = async () => (await deskhand.latest(run)).supportRequest!;
  const isInterrupted = ({ handoff }: SupportRequest) => handoff.status !== "pending";
  return await waitFor("an interrupted handoff", read, isInterrupted, { timeoutMs: 30_000 });
}

async function changeTicket(id: string, change: Record<string, unknown>): Promise<void> {
  const response = await fetch(`${desk.url}/REST/2.0/ticket/${id}`, {
    method: "PUT",
    headers: { "authorization": `token ${desk.token}`, "content-type": "application/json" },
    body: JSON.stringify(change),
  });
  assertEquals(response.status, 200, await response.text());
}
