import { assertEquals } from "@std/assert";
import { createRequestTracker } from "../../desk/request_tracker.ts";
import type { FindTicketResult } from "../../domain/ports/desk.ts";
import { type Behavior, respondWith, stallAfter, startRawServer } from "../support/raw_server.ts";
import { REFERENCE, supportRequest } from "../support/records.ts";
import { deskTest, inTime, OTHER_REFERENCE, settings, withoutTrace } from "./fixtures.ts";

const UNCLEAR: FindTicketResult = { outcome: "unclear", responsiveness: "responded" };
const TIMED_OUT: FindTicketResult = { outcome: "unclear", responsiveness: "timed_out" };
const ABSENT: FindTicketResult = { outcome: "absent" };

/**
 * Tests a lookup at a desk with these responses to the search by field and the one by subject. A
 * string is the number of the ticket that must be found.
 */
function lookupTest(
  name: string,
  byField: Behavior,
  bySubject: Behavior,
  expected: FindTicketResult | string,
) {
  Deno.test(name, async () => {
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
  "findTicket finds a ticket by its field after agents renamed and moved it",
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
  "findTicket finds a ticket by its subject if the desk dropped the field",
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
  "findTicket reports absent if the desk has only other tickets",
  async (_fake, desk) => {
    await desk.createTicket(supportRequest({ reference: OTHER_REFERENCE }), inTime());
    assertEquals(await desk.findTicket(supportRequest(), inTime()), ABSENT);
  },
);

deskTest(
  "findTicket does not adopt a ticket that only quotes the reference",
  async (_fake, desk) => {
    const quoting = { reference: OTHER_REFERENCE, summary: `Again, as in [${REFERENCE}]` };
    await desk.createTicket(supportRequest(quoting), inTime());
    assertEquals(withoutTrace(await desk.findTicket(supportRequest(), inTime())), UNCLEAR);
  },
);

deskTest(
  "findTicket finds a ticket of a desk whose clock is a day behind",
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
  "findTicket accepts a field name with a space",
  async (fake, desk) => {
    await desk.createTicket(supportRequest(), inTime());
    fake.tickets[0]!.subject = "Printer";
    assertEquals((await desk.findTicket(supportRequest(), inTime())).outcome, "found");
  },
  { referenceField: "Support ref" },
);

for (const mode of ["hang", "refuse", "rate-limit", "rubbish"] as const) {
  deskTest(
    `findTicket reports unclear, never absent, in the desk's mode ${mode}`,
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
  "findTicket sends no second search after a hit",
  hits([item("7")]),
  never,
  "7",
);
lookupTest(
  "findTicket returns the oldest of several tickets",
  hits([item("30"), item("9"), item(100)]),
  never,
  "9",
);
lookupTest(
  "findTicket returns the oldest of several tickets by subject",
  NONE,
  hits([item("30", own), item("9", `Re: ${own}`), item("2", `[${OTHER_REFERENCE}] ${REFERENCE}`)]),
  "9",
);
lookupTest(
  "findTicket accepts a reference in lower case in the subject",
  NONE,
  hits([item("9", own.toLowerCase())]),
  "9",
);
lookupTest(
  "findTicket ignores hits with another value in the field",
  hits([shown("1"), shown("2", OTHER_REFERENCE), shown("3", REFERENCE)]),
  never,
  "3",
);
lookupTest(
  "findTicket finds a ticket that was moved to a queue without the field",
  hits([{ id: "7", CustomFields: [{ name: "Building", values: ["B2"] }] }]),
  never,
  "7",
);
lookupTest(
  "findTicket finds a ticket that was moved to a queue without any field",
  hits([{ id: "7", CustomFields: "" }]),
  never,
  "7",
);
lookupTest(
  "findTicket reports unclear if the desk ignores the condition on the field",
  hits([shown("1"), shown("2", OTHER_REFERENCE)]),
  NONE,
  UNCLEAR,
);
lookupTest(
  "findTicket finds by subject even if the search by field failed",
  respondWith(500),
  hits([item("9", own)]),
  "9",
);
lookupTest("findTicket reports absent if both searches find none", NONE, NONE, ABSENT);
lookupTest(
  "findTicket reports unclear if the search by field failed",
  respondWith(500),
  NONE,
  UNCLEAR,
);
lookupTest(
  "findTicket reports unclear if the search by subject failed",
  NONE,
  respondWith(500),
  UNCLEAR,
);
lookupTest(
  "findTicket reports unclear if the second search hangs",
  NONE,
  stallAfter(""),
  TIMED_OUT,
);

for (
  const [what, bySubject] of [
    ["tickets that it does not show", hits([], 1)],
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
      "a body over 64 KiB",
      respondWith(200, JSON.stringify({ total: 0, items: [] }) + " ".repeat(65536)),
    ],
  ] as const
) {
  lookupTest(`findTicket reports unclear if a search returns ${what}`, NONE, bySubject, UNCLEAR);
}
