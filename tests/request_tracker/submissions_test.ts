/** Submissions through Deskhand, as its operator runs it, to a real Request Tracker. */
import {
  assertEquals,
  assertGreaterOrEqual,
  assertLess,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { assertTicket } from "./assertions.ts";
import { startDeskhand } from "./deskhand.ts";
import { type RequestTracker, startRequestTracker } from "./instance.ts";

let desk: RequestTracker;

Deno.test.beforeAll(async () => {
  desk = await startRequestTracker();
});

Deno.test.afterAll(async () => {
  await desk.stop();
});

const create = { mode: "create" };

Deno.test("a submission becomes one ticket with everything that agents need", async () => {
  await using deskhand = await startDeskhand(desk);
  const response = await deskhand.submit({
    summary: "The nightly import stops",
    description:
      "Zeile 40.000 läßt sich nicht lesen 🙂\n日本語の行\n\n  a 'quoted' <b>one</b> \\ %s",
    severity: "critical",
    contact: { name: "Ada Lovelace", email: "ada@example.com" },
    diagnostics: { version: "1.2.3", "last error": "E42: größer als ∞" },
    handoff: create,
  }, { run: "r-1" });

  const { reference } = response.body;
  const ticket = assertTicket(response, desk);
  assertEquals(ticket.url, `${desk.url}/Ticket/Display.html?id=${ticket.id}`);
  const { content, url: _, ...stored } = ticket;
  assertEquals(stored, {
    id: ticket.id,
    queue: "Support",
    subject: `[${reference}] The nightly import stops`,
    status: "new",
    priority: 0,
    requestors: ["ada@verified.example"],
    reference,
  });
  for (
    const text of [
      reference,
      "acme",
      "r-1",
      "critical",
      response.body.createdAt,
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
  ) assertStringIncludes(content, text);
  assertEquals((await deskhand.latest("r-1")).supportRequest, response.body);
  assertEquals((await deskhand.latest()).supportRequest, null);
});

Deno.test("a contact that cannot be the requestor is in the text, complete", async () => {
  await using deskhand = await startDeskhand(desk, { SUPPORT_DESK_REQUESTOR: "contact" });
  // The desk would truncate the long address, and write to the owner of the truncated one.
  const long = `ada@${"example.".repeat(14)}example.com`;
  for (const email of [long, "'x-@a.example"]) {
    const response = await deskhand.submit({ summary: "x", contact: { email }, handoff: create });
    const { requestors, content } = assertTicket(response, desk);
    assertStringIncludes(content, email);
    assertEquals(requestors.filter((requestor) => requestor !== email), []);
  }
  const rejected = await deskhand.submit({ summary: "x", contact: { email: "ädä@example.com" } });
  assertEquals(rejected.status, 422);
});

Deno.test("a severity sets the ticket's priority if that is configured", async () => {
  const priorities = { SUPPORT_DESK_PRIORITIES: "low:10,critical:90" };
  await using deskhand = await startDeskhand(desk, priorities);
  for (const [severity, priority] of [["low", 10], ["normal", 0], ["critical", 90]] as const) {
    const response = await deskhand.submit({ summary: "x", severity, handoff: create });
    assertEquals(assertTicket(response, desk).priority, priority);
  }
});

Deno.test("a ticket is linked by its number or URL, and none of another desk", async () => {
  await using deskhand = await startDeskhand(desk);
  const { id, url } = assertTicket(await deskhand.submit({ summary: "x", handoff: create }), desk);
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
    const rejected = await deskhand.submit({
      summary: "Elsewhere",
      handoff: { mode: "link", ticket: text },
    });
    assertEquals(rejected.status, 422);
    assertMatch(JSON.stringify(rejected.body), /"pointer":"[^"]*\/handoff\/ticket"/);
  }
  assertEquals(await deskhand.latest(), before);
});

Deno.test("a desk without the field gets the ticket, with the reference in the subject", async () => {
  await using deskhand = await startDeskhand(desk);
  await desk.dropField();
  try {
    const response = await deskhand.submit({ summary: "No field", handoff: create });
    const { subject, reference } = assertTicket(response, desk);
    assertEquals([subject, reference], [`[${response.body.reference}] No field`, null]);
  } finally {
    await desk.restoreField();
  }
});

Deno.test("a desk that hangs gets five seconds, and may still create the ticket later", async () => {
  await using deskhand = await startDeskhand(desk);
  desk.pause();
  const started = performance.now();
  const { status, body } = await deskhand.submit({ summary: "Any response?", handoff: create });
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

Deno.test("a revoked token is reported as such, and the request is stored", async () => {
  await using other = await startRequestTracker();
  await using deskhand = await startDeskhand(other);
  assertTicket(await deskhand.submit({ summary: "Before", handoff: create }), other);
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
