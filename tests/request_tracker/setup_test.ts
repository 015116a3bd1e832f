/** The script that sets up Request Tracker for Deskhand, run on a real one. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { parseEnv } from "node:util";
import { Deskhand } from "./deskhand.ts";
import { type Server, startServer } from "./server.ts";
import { readTicket } from "./tickets.ts";

const SCRIPT = new URL("../../config/deploy/request_tracker_setup.pl", import.meta.url).pathname;
/** The tables that the script may change, besides Request Tracker's own record of transactions. */
const TABLES = ["Queues", "CustomFields", "ObjectCustomFields", "Users", "ACL", "AuthTokens"];

const FRESH = ["--queue", "Fresh", "--user", "fresh-bot", "--field", "FreshRef"];

let desk: Server;

Deno.test.beforeAll(async () => {
  desk = await startServer({});
});

Deno.test.afterAll(async () => {
  await desk.end();
});

Deno.test("one run leaves a Request Tracker ready for tickets, and the lines for .env", async () => {
  const { code, env, report } = await setUp(...FRESH);
  assertEquals([code, changes(report).length], [0, 10], report);
  const { SUPPORT_DESK_TOKEN, ...others } = env;
  assert(SUPPORT_DESK_TOKEN);
  assertEquals(others, {
    SUPPORT_DESK_URL: desk.url,
    SUPPORT_DESK_QUEUE: "Fresh",
    SUPPORT_DESK_REFERENCE_FIELD: "FreshRef",
  });
  await assertTicketWithReference(env);

  // A ticket in another queue must be found, or a resumed handoff would create a second one.
  await administer("close-tickets");
  const query = new URLSearchParams({ query: "CF.{FreshRef} LIKE 'SR-'" });
  const response = await fetch(`${desk.url}/REST/2.0/tickets?${query}`, {
    headers: { Authorization: `token ${SUPPORT_DESK_TOKEN}` },
  });
  assertEquals((await response.json()).total, 1);
});

Deno.test("a second run changes nothing and prints no token", async () => {
  await setUp(...FRESH);
  const before = stored();
  const { code, env, report } = await setUp(...FRESH);
  assertEquals([code, changes(report), env.SUPPORT_DESK_TOKEN], [0, [], undefined], report);
  assertEquals(stored(), before);
});

Deno.test("--new-token creates another token, and the first stays valid", async () => {
  const first = await setUp("--user", "rolling-bot");
  const second = await setUp("--user", "rolling-bot", "--new-token");
  assertEquals(changes(second.report), ["token Deskhand of rolling-bot: created"]);
  for (const { env } of [first, second]) {
    const headers = { Authorization: `token ${env.SUPPORT_DESK_TOKEN}` };
    const response = await fetch(`${desk.url}/REST/2.0/rt`, { headers });
    await response.body?.cancel();
    assertEquals(response.status, 200);
  }
});

Deno.test("a Request Tracker that is half set up gets the other half", async () => {
  await administer("half-set-up");
  const options = ["--queue", "Half", "--user", "half-bot", "--field", "HalfRef"];
  const planned = await setUp(...options, "--dry-run");
  assertEquals([planned.code, planned.env], [0, {}]);
  const { code, env, report } = await setUp(...options);
  assertEquals(code, 0, report);
  assertEquals(changes(report), [
    "queue Half: enabled",
    "custom field HalfRef: enabled",
    "custom field HalfRef: values need not be unique any more",
    "user half-bot: enabled",
    "user half-bot: made privileged",
    "custom field HalfRef on queue Half: applied",
    "right SeeQueue of half-bot on queue Half: granted",
    "right SeeCustomField of half-bot on queue Half: granted",
    "right ModifyCustomField of half-bot on queue Half: granted",
    "right ShowTicket of half-bot globally: granted",
    "token Deskhand of half-bot: created",
  ]);
  assertStringIncludes(report, "unchanged right CreateTicket of half-bot on queue Half");
  await assertTicketWithReference(env);
});

Deno.test("a custom field that cannot hold a reference stops the script before any change", async () => {
  await administer("create-misfits");
  const before = stored();
  for (const field of ["Several", "Choice", "Digits"]) {
    const { code, env, report } = await setUp("--queue", "Never", "--field", field);
    assertEquals([code, env], [1, {}]);
    assertStringIncludes(report, `Nothing was changed:\n  The custom field ${field} `);
  }
  assertEquals(stored(), before);
});

Deno.test("a dry run changes nothing and says what would change", async () => {
  const before = stored();
  const { code, env, report } = await setUp("--queue", "Never", "--dry-run");
  assertEquals([code, env], [0, {}]);
  assertStringIncludes(report, "planned   queue Never: created");
  assertEquals(stored(), before);
});

Deno.test("names with blanks, quotes and dollar signs are unchanged in .env", async () => {
  for (const queue of ["Größe 1 $HOME", "It's"]) {
    const { code, env, report } = await setUp("--queue", queue);
    assertEquals([code, env.SUPPORT_DESK_QUEUE], [0, queue], report);
  }
});

/** Runs the script as an administrator does. */
async function setUp(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command("perl", {
    args: [SCRIPT, ...args],
    env: desk.env,
    stdin: "null",
  }).output();
  const env = parseEnv(new TextDecoder().decode(stdout)) as Record<string, string>;
  return { code, env, report: new TextDecoder().decode(stderr) };
}

function changes(report: string): string[] {
  return [...report.matchAll(/^ {2}changed +(.+)$/gm)].map(([, what]) => what!);
}

async function administer(operation: string): Promise<void> {
  const { success, stderr } = await new Deno.Command("perl", {
    args: [`${import.meta.dirname}/admin.pl`, operation],
    env: desk.env,
    stdin: "null",
  }).output();
  assert(success, new TextDecoder().decode(stderr));
}

/** Returns all rows of the tables that the script may change. */
function stored() {
  using database = new DatabaseSync(`${desk.directory}/rt.sqlite`, { readOnly: true });
  return TABLES.map((table) => database.prepare(`SELECT * FROM ${table} ORDER BY id`).all());
}

/** Asserts that Deskhand creates a complete ticket with these lines in its .env. */
async function assertTicketWithReference(env: Record<string, string>): Promise<void> {
  await using deskhand = await Deskhand.start(env);
  const { body } = await deskhand.submit({ summary: "Fire", handoff: { mode: "create" } });
  assert(body.handoff.status === "created", JSON.stringify(body.handoff));
  using database = new DatabaseSync(`${desk.directory}/rt.sqlite`, { readOnly: true });
  const field = env.SUPPORT_DESK_REFERENCE_FIELD!;
  const ticket = readTicket(database, field, body.handoff.ticket.reference);
  assertEquals([ticket.queue, ticket.reference], [env.SUPPORT_DESK_QUEUE, body.reference]);
}
