/// <reference lib="dom" />
/** A handoff that was interrupted is finished by anybody, without the tab that submitted it. */
import { assert, assertEquals } from "@std/assert";
import { ACME } from "../support/constants.ts";
import { createStore } from "../../kv/store.ts";
import { FAULTS, useStageTests, WEBKIT_LACKS } from "./suite.ts";
import { type Stage } from "./stage.ts";
import { leaveInterrupted } from "./states.ts";

const test = useStageTests({ forbids: FAULTS });

const isFocused = (element: { matches(selector: string): boolean }) => element.matches(":focus");

/** Opens the latest request, which was interrupted. */
async function openLatest({ panel }: Stage) {
  await panel.open();
  await panel.dialog.locator("#latest").click();
}

const created = ({ panel }: Stage) =>
  panel.strip.getByRole("heading", { name: "Ticket #1 created" });

test("an interrupted request is checked again by keyboard, and its ticket shown", async (stage) => {
  const { panel, page, desk, posts } = stage;
  await leaveInterrupted(stage);
  await openLatest(stage);
  await panel.strip.getByText("Sending was interrupted.").waitFor();
  const checked = Promise.withResolvers<void>();
  await page.route("**/resume", async (route) => {
    await checked.promise;
    await route.continue();
  });
  await panel.button("Check again").focus();
  await page.keyboard.press("Enter");
  await panel.button("Checking with Acme IT desk…").waitFor();
  assertEquals(await panel.status.textContent(), "Checking with Acme IT desk…");
  assert(await panel.button("Checking with Acme IT desk…").evaluate(isFocused));
  // Not disabled, but nothing is sent twice.
  await page.keyboard.press("Enter");
  checked.resolve();
  await created(stage).waitFor();
  await panel.strip.getByRole("link", { name: "Open ticket #1" }).waitFor();
  // Focused, a screen reader reads it with its description.
  assert(await created(stage).evaluate(isFocused));
  assertEquals(await created(stage).getAttribute("aria-describedby"), "next");
  assertEquals(await panel.button("Check again").count(), 0);
  assertEquals(posts.map(({ path }) => path), ["/v1/tenants/acme/support-requests/latest/resume"]);
  assertEquals(desk.tickets.length, 1);
  assertEquals(stage.complaints, []);
});

test("a desk that gives no clear response is described so, and may be checked again", async (stage) => {
  const { panel, desk } = stage;
  await leaveInterrupted(stage);
  desk.behave("rubbish");
  await openLatest(stage);
  await panel.button("Check again").click();
  const unclear = "Acme IT desk gave no clear answer. Check again in a few minutes.";
  await panel.strip.locator("#checked[role=alert]").getByText(unclear).waitFor();
  assert(await panel.button("Check again").evaluate(isFocused));
  desk.behave("normal");
  await panel.button("Check again").click();
  await created(stage).waitFor();
  assertEquals(await panel.strip.getByText(unclear).count(), 0);
});

test("every failure of a check has its own sentence, and none claims a submission", async (stage) => {
  const { panel, page, claims } = stage;
  const reference = await leaveInterrupted(stage);
  await openLatest(stage);

  async function assertShown(text: string | RegExp) {
    await panel.button("Check again").click();
    await panel.strip.locator("#checked").getByText(text).waitFor();
    await panel.button("Check again").waitFor();
    assertEquals(await panel.strip.getByText("may already be saved").count(), 0);
  }
  claims.scope = "support_requests:read";
  await assertShown("You don’t have permission to request support here.");
  claims.scope = undefined;
  await page.route("**/resume", (route) =>
    route.fulfill({
      status: 500,
      json: { stored: "unknown" },
      headers: { "Access-Control-Allow-Origin": "*" },
    }), { times: 1 });
  await assertShown("The support service had an error.");
  await page.route("**/resume", (route) => route.abort(), { times: 1 });
  await assertShown("could not be reached");

  const clock = { now: () => Date.now(), elapsed: () => performance.now() };
  const store = createStore(stage.kv, { clock, retentionDays: null, isExclusive: true });
  const attempt = await store.acquireLease(reference, Date.now() + 2_500);
  assert(attempt.outcome === "acquired");
  await assertShown(/^Your request is still being sent\. Try again in [23] s\.$/);
  await store.releaseLease(attempt.lease);
  // It counts down, and waits until then.
  await panel.strip.getByText("Try again in 1 s.").waitFor();
  await panel.strip.locator("#checked").getByText(/^Your request is still being sent\. ?$/)
    .waitFor();
  await panel.button("Check again").click();
  await created(stage).waitFor();
  assertEquals((await store.latest(ACME))?.request.handoff.status, "created");
});

test("a check does not disturb what is typed in the meantime", async (stage) => {
  const { panel, page } = stage;
  await leaveInterrupted(stage);
  await openLatest(stage);
  await page.route("**/resume", async (route) => {
    await panel.field("Summary").pressSequentially("Half a sen");
    await route.continue();
  });
  await panel.button("Check again").click();
  await created(stage).waitFor();
  await page.keyboard.type("tence");
  assertEquals(await panel.field("Summary").inputValue(), "Half a sentence");
});

test(
  "a request that was made in the meantime is not replaced by a check's result",
  async (stage) => {
    const { panel, page } = stage;
    await leaveInterrupted(stage);
    await openLatest(stage);
    const sent = Promise.withResolvers<void>();
    await page.route("**/resume", async (route) => {
      await sent.promise;
      await route.continue();
    });
    await panel.button("Check again").click();
    await panel.field("Summary").fill("Another one");
    await panel.send.click();
    await panel.result.locator("#headline").waitFor();
    const response = page.waitForResponse("**/resume");
    sent.resolve();
    await (await response).finished();
    await panel.result.getByText("Another one").waitFor();
  },
  { not: { webkit: WEBKIT_LACKS.events } },
);
