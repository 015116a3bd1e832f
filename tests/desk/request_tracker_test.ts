import { assert, assertEquals, assertFalse, assertStringIncludes, assertThrows } from "@std/assert";
import type { UngatedDesk } from "../../desk/gate.ts";
import { createRequestTracker, type RequestTrackerSettings } from "../../desk/request_tracker.ts";
import type { FindTicketResult } from "../../domain/ports/desk.ts";
import type { SupportRequest } from "../../domain/model/support_request.ts";
import { type FakeDesk, startFakeDesk } from "../demo/fake_desk.ts";
import { OTHER_REFERENCE, settings } from "./fixtures.ts";
import { type Behavior, respondWith, stallAfter, startRawServer } from "../support/raw_server.ts";
import { REFERENCE, supportRequest } from "../support/records.ts";

const UNCLEAR: FindTicketResult = { outcome: "unclear", responsiveness: "responded" };
const TIMED_OUT: FindTicketResult = { outcome: "unclear", responsiveness: "timed_out" };
const ABSENT: FindTicketResult = { outcome: "absent" };

/** What a handoff acts on, without what only operators are told. */
function withoutTrace(lookup: FindTicketResult): FindTicketResult {
  if (lookup.outcome !== "unclear") return lookup;
  const { trace: _, ...rest } = lookup;
  return rest;
}

function inTime(): AbortSignal {
  return AbortSignal.timeout(5000);
}

function deskTest(
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

/**
 * A lookup at a desk that answers the search by field and the one by subject as given. A string
 * is the number of the ticket that must be found.
 */
function lookupTest(
  name: string,
  byField: Behavior,
  bySubject: Behavior,
  expected: FindTicketResult | string,
) {
  Deno.test(`createRequestTracker.${name}`, async () => {
    const hostile = startRawServer((connection, request) =>
      (request.includes("Subject+LIKE") ? bySubject : byField)(connection, request)
    );
    const desk = createRequestTracker({ ...settings, url: hostile.url }, fetch);
    try {
      const lookup = withoutTrace(
        await desk.findTicket(supportRequest(), AbortSignal.timeout(300)),
      );
      const url = `${hostile.url}/Ticket/Display.html?id=${expected}`;
      const found = { outcome: "found", ticket: { reference: expected, url } };
      assertEquals<unknown>(lookup, typeof expected === "string" ? found : expected);
    } finally {
      await hostile.close();
    }
  });
}

function hits(items: unknown, total: unknown = Array.isArray(items) ? items.length : 0): Behavior {
  return respondWith(200, JSON.stringify({ count: 0, total, items }));
}

const NONE = hits([]);

deskTest(
  "createTicket makes one ticket that carries the reference and who asked",
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

/** Who is the requestor of a ticket, "" for nobody. */
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
  "has mail sent to the verified address, not to the typed one",
  "token",
  BOTH,
  VERIFIED,
);
requestorTest("trusts no typed address unless it is told to", undefined, BOTH, VERIFIED);
requestorTest("has mail sent to nobody without a verified address", "token", {
  contact: { email: TYPED },
}, "");
requestorTest("has mail sent to the typed address if it may", "contact", BOTH, TYPED);
requestorTest("takes the verified address if none was typed", "contact", {
  contact: { name: "Ada", email: "" },
  requestorEmail: VERIFIED,
}, VERIFIED);
requestorTest("has mail sent to nobody if it must not", "none", BOTH, "");

/** The desk cuts a longer one, and would send mail to the owner of what is left. */
for (const [length, isSent] of [[120, true], [121, false]] as const) {
  const email = "@example.com".padStart(length, "a");
  requestorTest(
    `sends ${isSent ? "a" : "no"} requestor of ${length} characters`,
    "token",
    { requestorEmail: email },
    isSent ? email : "",
  );
  deskTest(
    `createTicket has a typed address of ${length} characters in the text`,
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
  "createTicket says desk_refused_credentials when the token is wrong",
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
    `createTicket says that a ticket ${may ? "may exist" : "does not exist"} ` +
      `when the desk's mode is ${mode}`,
    async (fake, desk) => {
      fake.behave(mode);
      const creation = await desk.createTicket(supportRequest(), AbortSignal.timeout(300));
      assertEquals(creation.outcome === "failed" && creation.failure.ticketMayExist, may);
      assertEquals(fake.tickets.length, tickets);
    },
  );
}

deskTest(
  "findTicket finds the ticket by its field when agents have renamed and moved it",
  async (fake, desk) => {
    await desk.createTicket(supportRequest(), inTime());
    fake.tickets[0]!.subject = "Printer";
    fake.tickets[0]!.queue = "Facilities";
    assertEquals(await desk.findTicket(supportRequest(), inTime()), {
      outcome: "found",
      ticket: { reference: "1", url: `${fake.url}/Ticket/Display.html?id=1` },
    });
  },
);

deskTest(
  "findTicket finds the ticket by its subject when the desk dropped the field",
  async (fake, desk) => {
    fake.behave("drop-field");
    await desk.createTicket(supportRequest({ reference: OTHER_REFERENCE }), inTime());
    await desk.createTicket(supportRequest(), inTime());
    fake.tickets[1]!.queue = "Facilities";
    assertEquals(await desk.findTicket(supportRequest(), inTime()), {
      outcome: "found",
      ticket: { reference: "2", url: `${fake.url}/Ticket/Display.html?id=2` },
    });
  },
);

deskTest(
  "findTicket says absent when the desk has only other tickets",
  async (_fake, desk) => {
    await desk.createTicket(supportRequest({ reference: OTHER_REFERENCE }), inTime());
    assertEquals(await desk.findTicket(supportRequest(), inTime()), ABSENT);
  },
);

deskTest(
  "findTicket does not take a ticket that only quotes the reference for its own",
  async (_fake, desk) => {
    const quoting = { reference: OTHER_REFERENCE, summary: `Again, as in [${REFERENCE}]` };
    await desk.createTicket(supportRequest(quoting), inTime());
    assertEquals(withoutTrace(await desk.findTicket(supportRequest(), inTime())), UNCLEAR);
  },
);

deskTest(
  "findTicket finds a ticket of a desk whose clock is a day slow",
  async (fake, desk) => {
    await desk.createTicket(supportRequest(), inTime());
    fake.tickets[0]!.created -= 24 * 60 * 60 * 1000;
    assertEquals((await desk.findTicket(supportRequest(), inTime())).outcome, "found");
  },
);

Deno.test("findTicket searches all queues from two days before the request", async () => {
  const queries: URLSearchParams[] = [];
  const hostile = startRawServer((connection, request) => {
    queries.push(new URL(request.split(" ")[1]!, "http://desk").searchParams);
    return NONE(connection, request);
  });
  const desk = createRequestTracker(
    { ...settings, url: hostile.url, referenceField: "Support ref" },
    fetch,
  );
  try {
    const createdAt = "2026-03-01T23:59:59.999Z";
    assertEquals(await desk.findTicket(supportRequest({ createdAt }), inTime()), ABSENT);
  } finally {
    await hostile.close();
  }
  const since = "EffectiveId > 0 AND Created >= '2026-02-27' AND";
  assertEquals(queries.map((query) => Object.fromEntries(query)), [
    {
      query: `${since} CF.{Support ref}='${REFERENCE}'`,
      fields: "CustomFields",
      orderby: "id",
      order: "ASC",
    },
    {
      query: `${since} Subject LIKE '${REFERENCE}'`,
      fields: "Subject",
      orderby: "id",
      order: "ASC",
    },
  ]);
});

deskTest(
  "findTicket takes a field name with a space",
  async (fake, desk) => {
    await desk.createTicket(supportRequest(), inTime());
    fake.tickets[0]!.subject = "Printer";
    assertEquals((await desk.findTicket(supportRequest(), inTime())).outcome, "found");
  },
  { referenceField: "Support ref" },
);

for (const mode of ["hang", "refuse", "rate-limit", "rubbish"] as const) {
  deskTest(
    `findTicket says unclear, never absent, when the desk's mode is ${mode}`,
    async (fake, desk) => {
      fake.behave(mode);
      const expected = mode === "hang" ? TIMED_OUT : UNCLEAR;
      const lookup = await desk.findTicket(supportRequest(), AbortSignal.timeout(200));
      assertEquals(withoutTrace(lookup), expected);
    },
  );
}

const item = (id: unknown, Subject?: unknown) => ({ id, type: "ticket", Subject });
const shown = (id: string, ...values: string[]) => ({
  id,
  CustomFields: [{ name: "SupportRef", values }],
});
const own = `[${REFERENCE}] x`;
const never: Behavior = () => Promise.reject(new Error("a second search was sent"));

lookupTest(
  "find asks no second time when the field was found",
  hits([item("7")]),
  never,
  "7",
);
lookupTest(
  "find takes the oldest of several tickets",
  hits([item("30"), item("9"), item(100)]),
  never,
  "9",
);
lookupTest(
  "find takes the oldest of several tickets by subject",
  NONE,
  hits([item("30", own), item("9", `Re: ${own}`), item("2", `[${OTHER_REFERENCE}] ${REFERENCE}`)]),
  "9",
);
lookupTest(
  "find takes a subject whose reference an agent has written in lower case",
  NONE,
  hits([item("9", own.toLowerCase())]),
  "9",
);
lookupTest(
  "find passes over hits that show another value in the field",
  hits([shown("1"), shown("2", OTHER_REFERENCE), shown("3", REFERENCE)]),
  never,
  "3",
);
lookupTest(
  "find finds a ticket that was moved to a queue without the field",
  hits([{ id: "7", CustomFields: [{ name: "Building", values: ["B2"] }] }]),
  never,
  "7",
);
lookupTest(
  "find finds a ticket that was moved to a queue without any field",
  hits([{ id: "7", CustomFields: "" }]),
  never,
  "7",
);
lookupTest(
  "find says unclear when the desk ignores the condition on the field",
  hits([shown("1"), shown("2", OTHER_REFERENCE)]),
  NONE,
  UNCLEAR,
);
lookupTest(
  "find adopts by subject even where the search by field failed",
  respondWith(500),
  hits([item("9", own)]),
  "9",
);
lookupTest("find says absent when both searches say none", NONE, NONE, ABSENT);
lookupTest("find says unclear when the search by field failed", respondWith(500), NONE, UNCLEAR);
lookupTest("find says unclear when the search by subject failed", NONE, respondWith(500), UNCLEAR);
lookupTest("find says unclear when the second search hangs", NONE, stallAfter(""), TIMED_OUT);

for (
  const [what, bySubject] of [
    ["tickets that it may not show", hits([], 1)],
    ["no total", hits([], null)],
    ["a total that is text", hits([], "0")],
    ["no list", hits({}, 0)],
    ["a subject without the reference", hits([item("9", "Printer")])],
    ["no subject", hits([item("9")])],
    ["a hostile number", hits([item("9; DROP", own)])],
    ["one hostile number of two", hits([item("9", own), item("../../x", own)])],
    ["a hit in an empty result", hits([item("9")], 0)],
    ["HTML", respondWith(200, "<h1>Hello</h1>")],
    ["a redirect", respondWith(302, "", "Location: /NoAuth/Login.html")],
    ["404", respondWith(404, '{"message":"Not Found"}')],
    ["201", respondWith(201, JSON.stringify({ total: 0, items: [] }))],
    [
      "more than is read",
      respondWith(200, JSON.stringify({ total: 0, items: [] }) + " ".repeat(65536)),
    ],
  ] as const
) {
  lookupTest(`find says unclear when a search answers with ${what}`, NONE, bySubject, UNCLEAR);
}

Deno.test("createRequestTracker follows no redirect, whatever it asks", async () => {
  const elsewhere = startRawServer(respondWith(201, '{"id":"42"}'));
  const hostile = startRawServer(
    respondWith(307, "", `Location: ${elsewhere.url}/REST/2.0/ticket`),
  );
  const desk = createRequestTracker({ ...settings, url: hostile.url }, fetch);
  try {
    await desk.createTicket(supportRequest(), inTime());
    await desk.findTicket(supportRequest(), inTime());
  } finally {
    await hostile.close();
    await elsewhere.close();
  }
  assertEquals(hostile.requests.length, 3);
  assertEquals(elsewhere.requests, []);
});

Deno.test("createRequestTracker asks under the base path of the desk and links below it", async () => {
  const hostile = startRawServer(respondWith(201, '{"id":"42"}'));
  const desk = createRequestTracker({ ...settings, url: `${hostile.url}/rt/` }, fetch);
  try {
    assertEquals(await desk.createTicket(supportRequest(), inTime()), {
      outcome: "created",
      ticket: { reference: "42", url: `${hostile.url}/rt/Ticket/Display.html?id=42` },
    });
  } finally {
    await hostile.close();
  }
  assertEquals(hostile.requests, ["POST /rt/REST/2.0/ticket HTTP/1.1"]);
});

Deno.test("createRequestTracker keeps the token out of the error about a bad one", () => {
  const error = assertThrows(
    () => createRequestTracker({ ...settings, url: "https://d.example", token: "s3c\nret" }, fetch),
    TypeError,
  );
  assertFalse(Deno.inspect(error).includes("s3c"));
});

Deno.test("createRequestTracker is called what its operator calls it", () => {
  const desk = createRequestTracker({ ...settings, url: "https://desk.example" }, fetch);
  assertEquals(desk.label, "Acme IT desk");
});

Deno.test("createRequestTracker links what names a ticket at its own desk only", () => {
  const desk = createRequestTracker({ ...settings, url: "https://desk.example/rt/" }, fetch);
  const url = "https://desk.example/rt/Ticket/Display.html?id=42";
  assertEquals(desk.resolveTicket(`${url}#txn-7`), { reference: "42", url });
  assertEquals(desk.resolveTicket(url.replace("desk.", "other.")), null);
});
