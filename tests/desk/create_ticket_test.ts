import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { RequestTrackerSettings } from "../../desk/request_tracker.ts";
import type { SupportRequest } from "../../domain/model/support_request.ts";
import { REFERENCE, supportRequest } from "../support/records.ts";
import { deskTest, inTime } from "./fixtures.ts";

deskTest(
  "createTicket creates one ticket with the reference and the user",
  async (fake, desk) => {
    const request = supportRequest({ requestorEmail: "ada@verified.example" });
    assertEquals(await desk.createTicket(request, inTime()), {
      outcome: "created",
      ticket: { reference: "1", url: `${fake.url}/Ticket/Display.html?id=1` },
    });
    const [ticket, ...others] = fake.tickets;
    assertEquals(others, []);
    assert(ticket !== undefined);
    assertEquals(ticket.subject, `[${REFERENCE}] The printer is on fire`);
    assertEquals([ticket.requestor, ticket.priority], ["ada@verified.example", undefined]);
    assertEquals(ticket.queue, "Support");
    assertEquals(ticket.fields, { SupportRef: REFERENCE });
    assertStringIncludes(ticket.content, "There is smoke.");
  },
);

const TYPED = "grace@typed.example";
const VERIFIED = "ada@verified.example";
const BOTH = { contact: { name: "Ada", email: TYPED }, requestorEmail: VERIFIED };

/** Tests the requestor of a ticket; "" is none. */
function requestorTest(
  what: string,
  requestor: RequestTrackerSettings["requestor"],
  request: Partial<SupportRequest>,
  expected: string,
) {
  deskTest(
    `createTicket ${what}`,
    async (fake, desk) => {
      await desk.createTicket(supportRequest({ contact: undefined, ...request }), inTime());
      assertEquals(fake.tickets.map(({ requestor }) => requestor), [expected]);
    },
    { requestor },
  );
}

requestorTest(
  "uses the verified email address, not the typed one",
  "token",
  BOTH,
  VERIFIED,
);
requestorTest("does not use a typed email address by default", undefined, BOTH, VERIFIED);
requestorTest("sets no requestor without a verified email address", "token", {
  contact: { email: TYPED },
}, "");
requestorTest("uses the typed email address if configured", "contact", BOTH, TYPED);
requestorTest("uses the verified email address if none was typed", "contact", {
  contact: { name: "Ada", email: "" },
  requestorEmail: VERIFIED,
}, VERIFIED);
requestorTest("sets no requestor if configured", "none", BOTH, "");

/** The desk truncates a longer one, and would send mail to the owner of the truncated one. */
for (const [length, isSent] of [[120, true], [121, false]] as const) {
  const email = "@example.com".padStart(length, "a");
  requestorTest(
    `sends ${isSent ? "a" : "no"} requestor of ${length} characters`,
    "token",
    { requestorEmail: email },
    isSent ? email : "",
  );
  deskTest(
    `createTicket puts a typed address of ${length} characters into the text`,
    async (fake, desk) => {
      await desk.createTicket(supportRequest({ contact: { email } }), inTime());
      assertStringIncludes(fake.tickets[0]!.content, email);
    },
  );
}

for (const [severity, priority] of [["high", 60], ["low", 0], ["normal", undefined]] as const) {
  deskTest(
    `createTicket gives ${severity} the priority ${priority ?? "of the queue"}`,
    async (fake, desk) => {
      await desk.createTicket(supportRequest({ severity }), inTime());
      assertEquals(fake.tickets.map(({ priority }) => priority), [priority]);
    },
    { priorities: { high: 60, low: 0 } },
  );
}

deskTest(
  "createTicket reports desk_refused_credentials for a wrong token",
  async (fake, desk) => {
    const creation = await desk.createTicket(supportRequest(), inTime());
    assertEquals(creation.outcome === "failed" && creation.failure, {
      reason: "desk_refused_credentials",
      ticketMayExist: false,
    });
    assertEquals(fake.tickets, []);
  },
  { token: "another" },
);

for (
  const [mode, tickets, may] of [
    ["hang", 0, true],
    ["hang-after-create", 1, true],
    ["error", 0, true],
    ["error-after-create", 1, true],
    ["rubbish", 0, true],
    ["refuse", 0, false],
    ["reject", 0, false],
    ["rate-limit", 0, false],
  ] as const
) {
  deskTest(
    `createTicket reports that a ticket ${may ? "may exist" : "does not exist"} ` +
      `in the desk's mode ${mode}`,
    async (fake, desk) => {
      fake.behave(mode);
      const creation = await desk.createTicket(supportRequest(), AbortSignal.timeout(300));
      assertEquals(creation.outcome === "failed" && creation.failure.ticketMayExist, may);
      assertEquals(fake.tickets.length, tickets);
    },
  );
}
