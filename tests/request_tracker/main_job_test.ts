import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertLess,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import type { SupportRequest } from "../../routes/v1/responses.ts";
import type { Answer } from "../support/service_process.ts";
import { waitFor } from "../support/wait_for.ts";
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

/** The ticket of a submission that was answered with one, as the desk has it. */
function ticketOf({ status, body }: Answer<SupportRequest>, at = desk) {
  assertEquals(status, 201, JSON.stringify(body));
  assertEquals(body.handoff.status, "created", JSON.stringify(body));
  const { ticket } = body.handoff as Extract<
    SupportRequest["handoff"],
    { ticket: unknown }
  >;
  assertEquals(at.tickets(body.reference), [ticket.reference]);
  return { ...at.ticket(ticket.reference), url: ticket.url };
}

Deno.test("a submission becomes one ticket with everything that the desk's people need", async () => {
  await using deskhand = await startDeskhand(desk);
  const answer = await deskhand.submit({
    summary: "The nightly import stops",
    description:
      "Zeile 40.000 läßt sich nicht lesen 🙂\n日本語の行\n\n  a 'quoted' <b>one</b> \\ %s",
    severity: "critical",
    contact: { name: "Ada Lovelace", email: "ada@example.com" },
    diagnostics: { version: "1.2.3", "last error": "E42: größer als ∞" },
    handoff: create,
  }, { run: "r-1" });

  const { reference: kept } = answer.body;
  const ticket = ticketOf(answer);
  assertEquals(ticket.url, `${desk.url}/Ticket/Display.html?id=${ticket.id}`);
  const { content, url: _, ...stored } = ticket;
  assertEquals(stored, {
    id: ticket.id,
    queue: "Support",
    subject: `[${kept}] The nightly import stops`,
    status: "new",
    priority: 0,
    requestors: ["ada@verified.example"],
    reference: kept,
  });
  for (
    const said of [
      kept,
      "acme",
      "r-1",
      "critical",
      answer.body.createdAt,
      "u-1",
      "Ada Lovelace",
      "ada@example.com",
      "The nightly import stops",
      "Zeile 40.000 läßt sich nicht lesen 🙂",
      "日本語の行",
      "a 'quoted' <b>one</b> \\ %s",
      "version: 1.2.3",
      "last error: E42: größer als ∞",
    ]
  ) assertStringIncludes(content, said);
  assertEquals((await deskhand.latest("r-1")).supportRequest, answer.body);
  assertEquals((await deskhand.latest()).supportRequest, null);
});

Deno.test("the address of a ticket opens it for an agent", async () => {
  await using deskhand = await startDeskhand(desk);
  const answer = await deskhand.submit({ summary: "Die Tür <klemmt>", handoff: create });
  const page = await desk.readAsAgent(ticketOf(answer).url);
  assertStringIncludes(page, "Logged in as");
  assertStringIncludes(page, `[${answer.body.reference}] Die Tür &lt;klemmt&gt;`);
});

Deno.test("an agent sees which lines a person wrote, and all of them", async () => {
  await using deskhand = await startDeskhand(desk);
  const description = "Submitted by: the director\n> quoted";
  const answer = await deskhand.submit({ summary: "x", description, handoff: create });
  const { id } = ticketOf(answer);
  const page = await desk.readAsAgent(`${desk.url}/Ticket/History.html?id=${id}`);
  assertMatch(page, /<br \/?>\s*Submitted by: u-1/);
  assertMatch(page, /<br \/?>(&nbsp;|\u00A0){4}Submitted by: the director/);
  assertStringIncludes(page, "&gt; quoted");
  assert(!page.includes("Show quoted text"), "a line is hidden");
});

Deno.test("an agent reads a stack trace line by line, indented, and without terminal colors", async () => {
  await using deskhand = await startDeskhand(desk);
  const trace = "\u001b[31mError: x\u001b[0m\r\n\tat a.B.c(B.java:1)\0\n\tat d";
  const answer = await deskhand.submit({
    summary: "It\tfails",
    description: `Seen:\n${trace}`,
    diagnostics: { trace, retries: 3, cached: false },
    handoff: create,
  });
  const { id, subject, content } = ticketOf(answer);
  assertEquals(subject, `[${answer.body.reference}] It fails`);
  const lines = content.replaceAll("\u00A0", " ").split("\n");
  const below = (title: string, count: number) => {
    const start = lines.indexOf(title) + 1;
    return lines.slice(start, start + count);
  };
  const indented = (indent: string) =>
    ["Error: x", "    at a.B.c(B.java:1)\ufffd", "    at d"].map((line) => indent + line);
  assertEquals(below("Description:", 4), ["    Seen:", ...indented("    ")]);
  assertEquals(below("Diagnostics:", 6), [
    "    trace:",
    ...indented("        "),
    "    retries: 3",
    "    cached: false",
  ]);
  const page = await desk.readAsAgent(`${desk.url}/Ticket/History.html?id=${id}`);
  assertMatch(page, /<br \/?>(&nbsp;|\u00A0){8}at a\.B\.c/);
  assertMatch(page, /<br \/?>(&nbsp;|\u00A0){12}at d/);
});

Deno.test("a ticket is linked by its number or its address, and one of another desk is not", async () => {
  await using deskhand = await startDeskhand(desk);
  const { id, url } = ticketOf(await deskhand.submit({ summary: "x", handoff: create }));
  for (
    const text of [
      id,
      `#${id}`,
      `RT #${id}`,
      `Re: [rt.example #${id}] x`,
      url,
      `<${url}&results=1f2e3d#txn-9>`,
      `${desk.url}/Ticket/History.html?id=${id}`,
    ]
  ) {
    const { status, body } = await deskhand.submit({
      summary: "The same again",
      handoff: { mode: "link", ticket: text },
    });
    const { createdAt: at } = body;
    assertEquals([status, body.handoff], [201, {
      status: "linked",
      ticket: { reference: id, url },
      at,
    }]);
    assertEquals((await deskhand.latest()).supportRequest, body);
    assertEquals(desk.tickets(body.reference), []);
  }
  const before = await deskhand.latest();
  for (const text of [`https://desk.example/Ticket/Display.html?id=${id}`, "0", "#0"]) {
    const refused = await deskhand.submit({
      summary: "Elsewhere",
      handoff: { mode: "link", ticket: text },
    });
    assertEquals(refused.status, 422);
    assertMatch(JSON.stringify(refused.body), /"pointer":"[^"]*\/handoff\/ticket"/);
  }
  assertEquals(await deskhand.latest(), before);
});

Deno.test("a summary too long for a subject is cut on a character, and whole in the text", async () => {
  await using deskhand = await startDeskhand(desk);
  for (const character of ["ß", "語", "🙂"]) {
    const summary = character.repeat(200);
    const answer = await deskhand.submit({ summary, handoff: create });
    const { subject, content, reference } = ticketOf(answer);
    assertMatch(subject, new RegExp(`^\\[${reference}\\] (${character})+…$`, "u"));
    const bytes = new TextEncoder().encode(subject).length;
    assert(bytes > 200 - new TextEncoder().encode(character).length && bytes <= 200, `${bytes}`);
    assertStringIncludes(content, summary);
  }
});

Deno.test("a contact that cannot be the requestor stands in the text, whole", async () => {
  await using deskhand = await startDeskhand(desk, { SUPPORT_DESK_REQUESTOR: "contact" });
  // The desk would cut a longer address, and write to whoever has the shorter one.
  const long = `ada@${"example.".repeat(14)}example.com`;
  for (const email of [long, "'x-@a.example"]) {
    const answer = await deskhand.submit({ summary: "x", contact: { email }, handoff: create });
    const { requestors, content } = ticketOf(answer);
    assertStringIncludes(content, email);
    assertEquals(requestors.filter((requestor) => requestor !== email), []);
  }
  const refused = await deskhand.submit({ summary: "x", contact: { email: "ädä@example.com" } });
  assertEquals(refused.status, 422);
});

Deno.test("a severity sets the ticket's priority where it is configured", async () => {
  const priorities = { SUPPORT_DESK_PRIORITIES: "low:10,critical:90" };
  await using deskhand = await startDeskhand(desk, priorities);
  for (const [severity, priority] of [["low", 10], ["normal", 0], ["critical", 90]] as const) {
    const answer = await deskhand.submit({ summary: "x", severity, handoff: create });
    assertEquals(ticketOf(answer).priority, priority);
  }
});

Deno.test("a desk that hangs is waited for five seconds, and may then still make the ticket", async () => {
  await using deskhand = await startDeskhand(desk);
  desk.pause();
  const started = performance.now();
  const { status, body } = await deskhand.submit({ summary: "Anybody there?", handoff: create });
  const elapsed = performance.now() - started;
  const whileHanging = desk.tickets(body.reference);
  desk.resume();
  assertGreaterOrEqual(elapsed, 4_990);
  assertLess(elapsed, 6_000);
  assertEquals(status, 201);
  const { at: _, summary, ...handoff } = body.handoff as Record<string, unknown>;
  assertEquals(handoff, { status: "failed", reason: "desk_timeout", ticketMayExist: true });
  assertStringIncludes(
    String(summary),
    `a ticket may exist. Your request is saved as ${body.reference}.`,
  );
  assertEquals((await deskhand.latest()).supportRequest, body);

  await desk.idle();
  const [ticket, ...others] = desk.tickets(body.reference);
  assertEquals([whileHanging, others], [[], []]);
  const link = { mode: "link", ticket };
  const linked = await deskhand.submit({ summary: "Here it is", handoff: link });
  assertEquals(linked.body.handoff.status, "linked");
});

Deno.test("a token that was revoked is told as such, and the request is kept", async () => {
  await using other = await startRequestTracker();
  await using deskhand = await startDeskhand(other);
  ticketOf(await deskhand.submit({ summary: "Before", handoff: create }), other);
  await other.revokeToken();
  const { status, body } = await deskhand.submit({ summary: "After", handoff: create });
  assertEquals(status, 201);
  const { at: _, summary: __, ...handoff } = body.handoff as Record<string, unknown>;
  assertEquals(handoff, {
    status: "failed",
    reason: "desk_refused_credentials",
    ticketMayExist: false,
  });
  assertEquals((await deskhand.latest()).supportRequest, body);
  assertEquals(other.tickets(body.reference), []);
});

Deno.test("a request is still its context's latest after a restart", async () => {
  await using deskhand = await startDeskhand(desk);
  await deskhand.submit({ summary: "The first", handoff: create }, { run: "r-1" });
  const { body } = await deskhand.submit({ summary: "The last", handoff: create }, { run: "r-1" });
  const before = await deskhand.latest("r-1");
  assertEquals(before.supportRequest, body);
  await deskhand.stop();
  await deskhand.start();
  assertEquals(await deskhand.latest("r-1"), before);
});

Deno.test("fifty submissions at once with one key are one request and one ticket", async () => {
  await using deskhand = await startDeskhand(desk);
  const key = crypto.randomUUID();
  const ask = () => deskhand.submit({ summary: `Key ${key}`, handoff: create }, { key });
  const answers = await Promise.all(Array.from({ length: 50 }, ask));
  const accepted = answers.filter(({ status }) => status === 201);
  const refused = answers.filter(({ status }) => status === 409);
  assertEquals(accepted.length + refused.length, 50);
  assert(refused.every(({ headers }) => headers.has("Retry-After")));
  const [first, ...second] = accepted.filter(({ headers }) => !headers.has("Idempotent-Replayed"));
  assertEquals(second, []);
  const again = await ask();
  assertEquals(again.headers.get("Idempotent-Replayed"), "true");
  for (const { body } of [...accepted, again]) assertEquals(body, first!.body);
  assertEquals(desk.tickets(key), [ticketOf(first!).id]);
});

/** What agents, or the desk, may do to a ticket before anybody looks for it. */
const CHANGES: Record<string, Record<string, unknown>> = {
  untouched: {},
  "moved to another queue": { Queue: "Escalated" },
  "moved and renamed": { Queue: "Escalated", Subject: "Printer" },
  "rid of its field": { CustomFields: { SupportRef: "" } },
};

Deno.test("a submission repeated after a crash adopts the one ticket, whatever became of it", async () => {
  await using deskhand = await startDeskhand(desk, { SUPPORT_DESK_TIMEOUT_MS: "2000" });
  const tries = Object.entries(CHANGES).map(([name, change], index) => ({
    name,
    change,
    run: `r-${index}`,
    key: crypto.randomUUID(),
  }));
  const ask = ({ name, run, key }: typeof tries[number]) =>
    deskhand.submit({ summary: `Interrupted ${name}`, handoff: create }, { run, key });

  desk.pause();
  const cut = Promise.allSettled(tries.map(ask));
  await desk.received(tries.length);
  await deskhand.kill();
  assertEquals((await cut).map(({ status }) => status), tries.map(() => "rejected"));
  await deskhand.start();
  const early = await ask(tries[0]!);
  // The time that is left of the desk's two seconds, a slow start and the clocks' difference.
  const retryAfter = Number(early.headers.get("Retry-After"));
  assert(early.status === 409 && 1 <= retryAfter && retryAfter <= 12, `${retryAfter} s`);
  desk.resume();
  await desk.idle();

  for (const { run, change, name } of tries) {
    const { reference, handoff } = await interrupted(deskhand, run);
    assertEquals([handoff.status, "reason" in handoff && handoff.reason], [
      "failed",
      "interrupted",
    ]);
    const [id, ...others] = desk.tickets(reference);
    assertEquals(others, [], name);
    await changeTicket(id!, change);
  }
  for (const attempt of tries) {
    const { handoff: before, reference } = (await deskhand.latest(attempt.run)).supportRequest!;
    assert("ticketMayExist" in before && before.ticketMayExist);
    const again = await ask(attempt);
    assertEquals(again.headers.get("Idempotent-Replayed"), "true");
    assertEquals(again.body.reference, reference);
    ticketOf(again);
    assertEquals((await deskhand.latest(attempt.run)).supportRequest, again.body);
  }
});

Deno.test("a desk without the field gets the ticket all the same, with the reference in its subject", async () => {
  await using deskhand = await startDeskhand(desk);
  await desk.dropField();
  try {
    const answer = await deskhand.submit({ summary: "No field", handoff: create });
    const { subject, reference } = ticketOf(answer);
    assertEquals([subject, reference], [`[${answer.body.reference}] No field`, null]);
  } finally {
    await desk.restoreField();
  }
});

/** The context's latest request, once its handoff no longer counts as pending. */
async function interrupted(deskhand: Deskhand, run: string): Promise<SupportRequest> {
  const { supportRequest } = await waitFor(
    `the handoff of ${run} is interrupted`,
    () => deskhand.latest(run),
    ({ supportRequest }) => supportRequest!.handoff.status !== "pending",
    { timeoutMs: 30_000, intervalMs: 100 },
  );
  return supportRequest!;
}

async function changeTicket(id: string, change: Record<string, unknown>): Promise<void> {
  const response = await fetch(`${desk.url}/REST/2.0/ticket/${id}`, {
    method: "PUT",
    headers: { "authorization": `token ${desk.token}`, "content-type": "application/json" },
    body: JSON.stringify(change),
  });
  assertEquals(response.status, 200, await response.text());
}
