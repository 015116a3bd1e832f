/// <reference lib="dom" />
/** What a person does about a handoff that was interrupted, without the tab that submitted it. */
import { assert, assertEquals } from "@std/assert";
import type { Browser } from "playwright-core";
import { openStage, type Stage, type StageOptions } from "./stage.ts";
import { ACME } from "../support/constants.ts";
import { launch, UNSANITIZED } from "../support/chromium.ts";
import { createStore } from "../../kv/store.ts";
import { leaveInterrupted } from "./states.ts";

let browser: Browser;
Deno.test.beforeAll(async () => {
  browser = await launch();
});
Deno.test.afterAll(() => browser?.close());

function test(name: string, run: (stage: Stage) => Promise<void>, options?: StageOptions) {
  Deno.test(name, UNSANITIZED, async () => {
    await using stage = await openStage(browser, options);
    await run(stage);
  });
}

const isFocused = (element: { matches(selector: string): boolean }) => element.matches(":focus");

test("an interrupted request is checked again by keyboard, and its ticket shown", async (stage) => {
  const { panel, page, desk, posts } = stage;
  await leaveInterrupted(stage);
  await panel.open();
  await panel.card.getByText("was interrupted").waitFor();
  desk.behave("slow");
  const button = panel.button("Check again");
  await button.focus();
  await page.keyboard.press("Enter");
  const running = panel.button("Checking with Acme IT desk…");
  await running.waitFor();
  assertEquals(await running.getAttribute("aria-disabled"), "true");
  assert(await running.evaluate(isFocused));
  assertEquals(await panel.status.innerText(), "Checking with Acme IT desk…");
  // A second press sends nothing.
  await page.keyboard.press("Enter");
  desk.behave("normal");
  await panel.card.getByText("Acme IT desk has a ticket for it.").waitFor();
  await panel.card.getByRole("link", { name: "Ticket 1" }).waitFor();
  assertEquals(await panel.status.innerText(), "Acme IT desk has a ticket for it.");
  assert(await panel.card.getByRole("heading").evaluate(isFocused));
  assertEquals(await panel.button("Check again").count(), 0);
  assertEquals(posts.map(({ path }) => path), ["/v1/tenants/acme/support-requests/latest/resume"]);
  assertEquals(desk.tickets.length, 1);
  assertEquals(stage.complaints, []);
}, { env: { SUPPORT_DESK_TIMEOUT_MS: "5000" } });

test("a desk that gives no clear answer is told as such, and may be checked again", async (stage) => {
  const { panel, desk } = stage;
  await leaveInterrupted(stage);
  desk.behave("rubbish");
  await panel.open();
  await panel.button("Check again").click();
  const unclear = "Acme IT desk gave no clear answer. Check again in a few minutes.";
  await panel.card.getByText(unclear).waitFor();
  assertEquals(await panel.status.innerText(), unclear);
  assert(await panel.button("Check again").evaluate(isFocused));
  desk.behave("normal");
  await panel.button("Check again").click();
  await panel.card.getByText("Acme IT desk has a ticket for it.").waitFor();
  assertEquals(await panel.card.getByText(unclear).count(), 0);
});

test("every failure of a check is told in words, and nothing claims a submission", async (stage) => {
  const { panel, page, claims } = stage;
  const reference = await leaveInterrupted(stage);
  await panel.open();

  async function assertTold(text: string | RegExp) {
    await panel.button("Check again").click();
    await panel.card.locator("#checked").getByText(text).waitFor();
    await panel.button("Check again").waitFor();
    assert(await panel.button("Check again").evaluate(isFocused));
    assertEquals(await panel.card.getByText("may have been kept").count(), 0);
  }
  const clock = { now: () => Date.now(), elapsed: () => performance.now() };
  const store = createStore(stage.kv, { clock, retentionDays: null, isExclusive: true });
  const attempt = await store.acquireLease(reference, Date.now() + 9_500);
  assert(attempt.outcome === "acquired");
  await assertTold(/It is still being handed to the desk\. Try again in (9|10) s\./);
  await store.releaseLease(attempt.lease);

  claims.scope = "support_requests:read";
  await assertTold("You may not ask for support here.");
  claims.scope = undefined;
  for (
    const [status, text] of [[429, "too many requests"], [500, "could not be reached"]] as const
  ) {
    await page.route("**/resume", (route) =>
      route.fulfill({
        status,
        json: { detail: "Nothing was stored" },
        headers: { "Access-Control-Allow-Origin": "*" },
      }), { times: 1 });
    await assertTold(text);
  }
  await page.route("**/resume", (route) => route.abort(), { times: 1 });
  await assertTold("could not be reached");
  await panel.button("Check again").click();
  await panel.card.getByText("Acme IT desk has a ticket for it.").waitFor();
  assertEquals((await store.latest(ACME))?.request.handoff.status, "created");
});

test("a check does not disturb what is typed meanwhile", async (stage) => {
  const { panel, page } = stage;
  await leaveInterrupted(stage);
  await panel.open();
  await page.route("**/resume", async (route) => {
    await panel.field("Summary").pressSequentially("Half a sen");
    await route.continue();
  });
  await panel.button("Check again").click();
  await panel.card.getByText("Acme IT desk has a ticket for it.").waitFor();
  await page.keyboard.type("tence");
  assertEquals(await panel.field("Summary").inputValue(), "Half a sentence");
});

test("a request that was made meanwhile is not replaced by the check's result", async (stage) => {
  const { panel, page } = stage;
  await leaveInterrupted(stage);
  await panel.open();
  const sent = Promise.withResolvers<void>();
  await page.route("**/resume", async (route) => {
    await sent.promise;
    await route.continue();
  });
  await panel.button("Check again").click();
  await panel.field("Summary").fill("Another one");
  await panel.send.click();
  await panel.dialog.getByRole("heading", { name: "Your request is kept" }).waitFor();
  const response = page.waitForResponse("**/resume");
  sent.resolve();
  await (await response).finished();
  await panel.card.getByText("Another one").waitFor();
});
