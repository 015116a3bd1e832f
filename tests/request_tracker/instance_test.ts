import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { waitFor } from "../support/wait_for.ts";
import { type RequestTracker, startRequestTracker } from "./instance.ts";

let desk: RequestTracker;

Deno.test.beforeAll(async () => {
  desk = await startRequestTracker();
});

Deno.test.afterAll(async () => {
  await desk.stop();
});

Deno.test("a ticket is created and found by its custom field and by its subject", async () => {
  const content = "Grüße 🙂, a = b\n" + "long line ".repeat(20);
  const created = await create("SR-FIND", { Content: content, Requestor: "ada@example.test" });
  assertEquals(created.status, 201);
  const { id } = created.body as { id: string };

  for (const query of ["CF.{SupportRef}='SR-FIND'", "Subject LIKE 'SR-FIND'"]) {
    assertEquals(await search(query), [id]);
  }
  assertEquals(desk.tickets("SR-FIND"), [id]);
  assertEquals(desk.ticket(id), {
    id,
    queue: "Support",
    subject: "[SR-FIND] Printer on fire",
    status: "new",
    priority: 0,
    requestors: ["ada@example.test"],
    content,
    reference: "SR-FIND",
  });
});

Deno.test("the agent reads a ticket after logging in on the web", async () => {
  const { id } = (await create("SR-WEB")).body as { id: string };
  const page = await desk.readAsAgent(`${desk.url}/Ticket/Display.html?id=${id}`);
  assertStringIncludes(page, "Logged in as");
  assertStringIncludes(page, "[SR-WEB] Printer on fire");
});

Deno.test("a paused desk sends no response, and creates the ticket when resumed", async () => {
  desk.pause();
  await assertRejects(() => create("SR-PAUSED", {}, 500), DOMException, "timeout");
  assertEquals(desk.tickets("SR-PAUSED"), []);
  desk.resume();
  await waitFor("the ticket", () => desk.tickets("SR-PAUSED").length === 1);
  assertEquals((await create("SR-RESUMED")).status, 201);
});

for (const kind of ["IMMEDIATE", "EXCLUSIVE"] as const) {
  Deno.test(`a desk whose database is locked (${kind}) hangs until the release`, async () => {
    const reference = `SR-${kind}`;
    {
      using _lock = desk.lockDatabase(kind);
      await assertRejects(() => create(reference, {}, 500), DOMException, "timeout");
      assertEquals(desk.tickets(reference), []);
    }
    await waitFor("the ticket", () => desk.tickets(reference).length === 1);
  });
}

Deno.test("a worker killed during a creation closes the connection and leaves none", async () => {
  {
    await desk.idle(); // otherwise, the worker could be one that still ends an earlier request
    using _lock = desk.lockDatabase("IMMEDIATE");
    const creation = assertRejects(() => create("SR-KILLED"), TypeError);
    await desk.serving();
    await desk.killWorker();
    await creation;
  }
  assertEquals((await create("SR-SURVIVOR")).status, 201);
  assertEquals(desk.tickets("SR-KILLED"), []);
});

Deno.test("a disabled user is rejected until enabled again", async () => {
  await desk.disableUser();
  assertEquals((await create("SR-USER")).status, 401);
  await desk.enableUser();
  assertEquals((await create("SR-USER")).status, 201);
});

Deno.test("a disabled queue rejects tickets until enabled again", async () => {
  await desk.disableQueue();
  assertEquals((await create("SR-QUEUE")).status, 403);
  await desk.enableQueue();
  assertEquals((await create("SR-QUEUE")).status, 201);
});

Deno.test("a dropped custom field is silently missing from the ticket", async () => {
  await desk.dropField();
  const without = await create("SR-FIELD");
  await desk.restoreField();
  const restored = await create("SR-FIELD");
  assertEquals([without.status, restored.status], [201, 201]);
  const references = desk.tickets("SR-FIELD").map((id) => desk.ticket(id).reference);
  assertEquals(references, [null, "SR-FIELD"]);
});

Deno.test("a revoked token is rejected", async () => {
  await using other = await startRequestTracker();
  await other.revokeToken();
  assertEquals((await create("SR-TOKEN", {}, 10_000, other)).status, 401);
});

Deno.test("stopping a paused desk leaves no process, no port and no directory", async () => {
  const other = await startRequestTracker();
  const directory = other.directory;
  other.pause();
  await other.stop();
  await other.stop();
  await assertRejects(() => Deno.stat(directory), Deno.errors.NotFound);
  await assertRejects(() => fetch(other.url), TypeError);
  for await (const { name } of Deno.readDir("/proc")) {
    const environment = await Deno.readTextFile(`/proc/${name}/environ`).catch(() => "");
    assert(!environment.includes(directory), `process ${name} is still there`);
  }
});

Deno.test("a port in use is reported immediately", async () => {
  const port = Number(new URL(desk.url).port);
  await assertRejects(() => startRequestTracker({ port }), Deno.errors.AddrInUse);
});

async function create(
  reference: string,
  fields: Record<string, string> = {},
  timeoutMs = 10_000,
  at: RequestTracker = desk,
): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${at.url}/REST/2.0/ticket`, {
    method: "POST",
    headers: { authorization: `token ${at.token}`, "content-type": "application/json" },
    body: JSON.stringify({
      Queue: at.queue,
      Subject: `[${reference}] Printer on fire`,
      Content: "It burns.",
      ContentType: "text/plain",
      CustomFields: { [at.referenceField]: reference },
      ...fields,
    }),
    redirect: "manual",
    signal: AbortSignal.timeout(timeoutMs),
  });
  return { status: response.status, body: await response.json() };
}

/** Returns the IDs of the tickets that desk-bot finds. */
async function search(query: string): Promise<string[]> {
  const response = await fetch(`${desk.url}/REST/2.0/tickets?${new URLSearchParams({ query })}`, {
    headers: { authorization: `token ${desk.token}` },
  });
  const { items } = await response.json() as { items: { id: string }[] };
  return items.map(({ id }) => id);
}
