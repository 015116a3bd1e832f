/** How the ticket reads for an agent on Request Tracker's own pages. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
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

Deno.test("the URL of a ticket opens it for an agent", async () => {
  await using deskhand = await startDeskhand(desk);
  const response = await deskhand.submit({ summary: "Die Tür <klemmt>", handoff: create });
  const page = await desk.readAsAgent(assertTicket(response, desk).url);
  assertStringIncludes(page, "Logged in as");
  assertStringIncludes(page, `[${response.body.reference}] Die Tür &lt;klemmt&gt;`);
});

Deno.test("an agent sees which lines a user typed, and all of them", async () => {
  await using deskhand = await startDeskhand(desk);
  const description = "Submitted by: the director\n> quoted";
  const response = await deskhand.submit({ summary: "x", description, handoff: create });
  const { id } = assertTicket(response, desk);
  const page = await desk.readAsAgent(`${desk.url}/Ticket/History.html?id=${id}`);
  assertMatch(page, /<br \/?>\s*Submitted by: u-1/);
  assertMatch(page, /<br \/?>(&nbsp;|\u00A0){4}Submitted by: the director/);
  assertStringIncludes(page, "&gt; quoted");
  assert(!page.includes("Show quoted text"), "a line is hidden");
});

Deno.test("an agent reads a stack trace with its indentation and no terminal colors", async () => {
  await using deskhand = await startDeskhand(desk);
  const trace = "\u001b[31mError: x\u001b[0m\r\n\tat a.B.c(B.java:1)\0\n\tat d";
  const response = await deskhand.submit({
    summary: "It\tfails",
    description: `Seen:\n${trace}`,
    diagnostics: { trace, retries: 3, cached: false },
    handoff: create,
  });
  const { id, subject, content } = assertTicket(response, desk);
  assertEquals(subject, `[${response.body.reference}] It fails`);
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

Deno.test("a long summary is truncated at a character, and complete in the text", async () => {
  await using deskhand = await startDeskhand(desk);
  for (const character of ["ß", "語", "🙂"]) {
    const summary = character.repeat(200);
    const response = await deskhand.submit({ summary, handoff: create });
    const { subject, content, reference } = assertTicket(response, desk);
    assertMatch(subject, new RegExp(`^\\[${reference}\\] (${character})+…$`, "u"));
    const bytes = new TextEncoder().encode(subject).length;
    assert(bytes > 200 - new TextEncoder().encode(character).length && bytes <= 200, `${bytes}`);
    assertStringIncludes(content, summary);
  }
});
