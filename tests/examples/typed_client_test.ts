import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { createClient } from "../../routes/client.ts";
import { startFakeDesk } from "../demo/fake_desk.ts";
import { mintToken } from "../demo/token.ts";
import { AUTH_SECRET, openService } from "../support/service.ts";
import { askForHelp, checkAgain, lookUp } from "./typed_client.ts";

const QUESTION = { tenantId: "acme", runId: "r-1", summary: "The nightly import stops" };

async function openClient() {
  const desk = startFakeDesk();
  const service = await openService({
    env: {
      SUPPORT_DESK_URL: desk.url,
      SUPPORT_DESK_TOKEN: desk.token,
      SUPPORT_DESK_QUEUE: desk.queue,
    },
  });
  let asked = 0;
  const client = createClient({
    url: "http://deskhand.example",
    getToken: () => {
      asked++;
      return mintToken(AUTH_SECRET);
    },
    fetch: async (input, init) => await service.app.request(input, init),
  });
  return {
    client,
    desk,
    tokensAsked: () => asked,
    async [Symbol.asyncDispose]() {
      await desk.close();
      await service[Symbol.asyncDispose]();
    },
  };
}

Deno.test("the typed client gets a ticket, once for one key, and reads it again", async () => {
  await using stage = await openClient();
  const { client, desk, tokensAsked } = stage;
  assertEquals(await lookUp(client, "acme", "r-1"), "Nobody has asked for support here");
  const said = await askForHelp(client, QUESTION, "k-1");
  assertMatch(
    said,
    /^SR-\w{26} is ticket 1: http:\/\/127\.0\.0\.1:\d+\/Ticket\/Display\.html\?id=1$/,
  );
  assertEquals(await askForHelp(client, QUESTION, "k-1"), said);
  assertEquals(await lookUp(client, "acme", "r-1"), said);
  assertEquals(desk.tickets.length, 1);
  // A token expires: it is asked for with each call.
  assertEquals(tokensAsked(), 4);
});

Deno.test("the typed client finds the run of a workflow engine by its id", async () => {
  await using stage = await openClient();
  const { client } = stage;
  const runId = "scheduled__2026-11-25T00:00:00+00:00";
  const said = await askForHelp(client, { ...QUESTION, runId }, "k-1");
  assertEquals(await lookUp(client, "acme", runId), said);
});

Deno.test("the typed client resumes the latest request without its key", async () => {
  await using stage = await openClient();
  const { client, desk } = stage;
  assertMatch(await checkAgain(client, "acme", "r-1"), /^Not found\. No support request is stored/);
  const said = await askForHelp(client, QUESTION, "k-1");
  assertEquals(await checkAgain(client, "acme", "r-1"), said);
  assertEquals(desk.tickets.length, 1);
});

Deno.test("the typed client passes on what a person can do about a failure or a refusal", async () => {
  await using stage = await openClient();
  const { client, desk } = stage;
  desk.behave("refuse");
  assertMatch(await askForHelp(client, QUESTION, "k-1"), /denied access; no ticket was created/);
  assertEquals(
    await askForHelp(client, { ...QUESTION, summary: "" }, "k-2"),
    "#/summary must not be empty",
  );
  assertMatch(
    await askForHelp(client, { ...QUESTION, tenantId: "other" }, "k-3"),
    /^Not found\. There is nothing here for this token/,
  );
});

Deno.test("the typed client sends nothing where no token can be had", async () => {
  let isSent = false;
  const client = createClient({
    url: "http://deskhand.example",
    getToken: () => Promise.reject(new Error("signed out")),
    fetch: () => {
      isSent = true;
      return Promise.resolve(new Response());
    },
  });
  await assertRejects(() => lookUp(client, "acme", "r-1"), Error, "signed out");
  assertEquals(isSent, false);
});

Deno.test("the typed client knows what may be sent, and what each status brings", () => {
  const client = createClient({ url: "http://deskhand.example", getToken: () => "t" });
  // Checked, not run.
  const _ = async () => {
    const requests = client.v1.tenants[":tenantId"]["support-requests"];
    const param = { tenantId: "acme" };
    // @ts-expect-error the summary is required
    await requests.$post({ param, json: {} });
    // @ts-expect-error there is no such severity
    await requests.$post({ param, json: { summary: "Help", severity: "urgent" } });
    // @ts-expect-error a link needs a ticket
    await requests.$post({ param, json: { summary: "Help", handoff: { mode: "link" } } });
    // @ts-expect-error a tenant is required
    await requests.latest.$get({ param: {} });
    // @ts-expect-error nothing is there
    await client.v1.tenants[":tenantId"].requests.$get({ param });

    const answer = await requests.$post({ param, json: { summary: "Help" } });
    if (answer.status === 201) {
      const { handoff } = await answer.json();
      // @ts-expect-error there is a ticket only where one was created or linked
      handoff.ticket;
      if (handoff.status === "created") handoff.ticket.url satisfies string;
      // @ts-expect-error what was typed for the desk's people is not returned
      (await answer.json()).description;
    }
    if (answer.status === 429) (await answer.json()).requestId satisfies string;
  };
});
