/// <reference lib="dom" />
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Browser } from "playwright-core";
import { openStage, type Stage, until } from "./stage.ts";
import { launch, UNSANITIZED } from "../support/chromium.ts";
import { fillIn, keep } from "./states.ts";

let browser: Browser;
Deno.test.beforeAll(async () => {
  browser = await launch();
});
Deno.test.afterAll(() => browser?.close());

/** Tests what a person does on a page that complains about nothing. */
function test(name: string, run: (stage: Stage) => Promise<void>, hasDesk = true) {
  Deno.test(name, UNSANITIZED, async () => {
    await using stage = await openStage(browser, { hasDesk });
    await run(stage);
    assertEquals(stage.complaints, []);
  });
}

const done = ({ panel }: Stage) =>
  panel.dialog.getByRole("heading", { name: "Your request is kept" }).waitFor();

test("a request is sent from a page of another origin, and its ticket shown", async (stage) => {
  const { panel, page, desk, posts } = stage;
  await panel.open();
  await panel.card.getByText("No request has been made here yet.").waitFor();
  await fillIn(stage);
  await panel.send.click();
  await done(stage);

  const link = panel.card.getByRole("link", { name: "Ticket 1" });
  assertEquals(await link.getAttribute("href"), `${desk.url}/Ticket/Display.html?id=1`);
  assertEquals(await link.getAttribute("rel"), "noopener noreferrer");
  assertEquals(await link.getAttribute("target"), "_blank");
  assertMatch(await panel.card.locator("code").innerText(), /^SR-[0-9A-Z]{26}$/);
  assertEquals(await panel.status.innerText(), "Acme IT desk has a ticket for it.");
  assertEquals(posts[0]!.body, {
    summary: "The nightly import stops at row 40,000",
    description: "Since Monday.\nThe log ends with a timeout.",
    severity: "high",
    contact: { name: "Ada Lovelace", email: "ada@acme.example" },
    handoff: { mode: "create" },
  });
  assertEquals(desk.tickets.length, 1);
  const events = await page.evaluate("events.map(({ handoff }) => handoff.ticket.reference)");
  assertEquals(events, ["1"]);
  const focused = await page.evaluate(() =>
    document.querySelector("support-request-panel")!.shadowRoot!.activeElement!.textContent
  );
  assertEquals(focused, "Your request is kept");
});

test("a ticket that exists is linked", async (stage) => {
  const { panel, desk } = stage;
  await panel.open();
  await fillIn(stage);
  await panel.field("Where should it go?").selectOption({
    label: "To a ticket that Acme IT desk has already",
  });
  await panel.field("Which ticket?").fill(`${desk.url}/Ticket/Display.html?id=42`);
  await panel.send.click();
  await done(stage);
  await panel.card.getByText("It is linked to a ticket at Acme IT desk.").waitFor();
  const href = await panel.card.getByRole("link", { name: "Ticket 42" }).getAttribute("href");
  assertEquals(href, `${desk.url}/Ticket/Display.html?id=42`);
  assertEquals(desk.tickets, []);
});

test("a request may stay here", async (stage) => {
  const { panel, desk } = stage;
  await panel.open();
  await fillIn(stage);
  await panel.field("Where should it go?").selectOption({ label: "Nowhere: keep it here only" });
  await panel.send.click();
  await done(stage);
  await panel.card.getByText("It is kept here. Nothing was sent to a desk.").waitFor();
  assertEquals(desk.tickets, []);
});

test("where no desk is configured there is no choice, and the person is told", async (stage) => {
  const { panel, posts } = stage;
  await panel.open();
  await panel.dialog.getByText("No support desk is configured: your request is kept here.")
    .waitFor();
  assertEquals(await panel.field("Where should it go?").isVisible(), false);
  await fillIn(stage);
  await panel.send.click();
  await done(stage);
  assertEquals(posts[0]!.body.handoff, { mode: "none" });
}, false);

test("a reopened panel shows the latest request and an empty form", async (stage) => {
  const { panel, page } = stage;
  await panel.open();
  await fillIn(stage);
  await panel.send.click();
  await done(stage);
  await page.keyboard.press("Escape");
  await panel.dialog.waitFor({ state: "hidden" });
  await keep(stage, { summary: "A newer one, by somebody else" });
  await panel.open();
  await panel.card.getByRole("heading", { name: "Latest request" }).waitFor();
  await panel.card.getByText("A newer one, by somebody else").waitFor();
  await panel.card.getByText("Grace Hopper").waitFor();
  for (const label of ["Summary", /Description/, /Your name/, /Your email/]) {
    assertEquals(await panel.field(label).inputValue(), "");
  }
  assertEquals(await panel.field("Severity").inputValue(), "normal");
});

test("what is pending can be looked at again", async (stage) => {
  const { panel, desk } = stage;
  desk.behave("slow");
  const kept = keep(stage, { summary: "The export hangs", handoff: { mode: "create" } });
  await until(async () => await stage.kept() === 1);
  await panel.open();
  await panel.card.getByText("Acme IT desk is being asked for a ticket.").waitFor();
  await kept;
  await panel.button("Look again").click();
  await panel.card.getByText("Acme IT desk did not respond in time").waitFor();
});

test("another request can be written right away", async (stage) => {
  const { panel } = stage;
  await panel.open();
  await fillIn(stage);
  await panel.send.click();
  await done(stage);
  await panel.button("Write another request").click();
  assert(await panel.field("Summary").evaluate((field) => field.matches(":focus")));
  await panel.field("Summary").fill("Another");
  await panel.button("Send request").click();
  await done(stage);
  await panel.card.getByText("Another", { exact: true }).waitFor();
  assertEquals(await stage.kept(), 2);
});

test("the keyboard alone is enough, and focus comes back to the opener", async (stage) => {
  const { panel, page } = stage;
  const press = async (...keys: string[]) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  await press("Tab", "Enter");
  await panel.card.getByText("No request").waitFor();
  await press("Tab", "Tab");
  await page.keyboard.type("From the keyboard");
  await press("Tab");
  await page.keyboard.type("Line one\nLine two");
  await press("Tab", "ArrowDown", "Tab", "Tab", "Tab");
  await page.keyboard.type("To a");
  await press("Tab");
  await page.keyboard.type("42");
  await press("Enter");
  await done(stage);
  await panel.card.getByRole("link", { name: "Ticket 42" }).waitFor();
  // From the heading to the link, to the button, and never behind the dialog.
  await press("Tab");
  assert(await panel.card.getByRole("link").evaluate((link) => link.matches(":focus")));
  for (let i = 0; i < 5; i++) {
    await press("Tab");
    const behind = await page.evaluate("document.activeElement?.id");
    assert(behind !== "ask");
  }
  await press("Escape");
  await panel.dialog.waitFor({ state: "hidden" });
  assertEquals(await page.evaluate("document.activeElement.id"), "ask");
  assertEquals(stage.posts[0]!.body, {
    summary: "From the keyboard",
    description: "Line one\nLine two",
    severity: "high",
    handoff: { mode: "link", ticket: "42" },
  });
});

test("what has the focus is never covered", async (stage) => {
  const { panel, page } = stage;
  await page.setViewportSize({ width: 390, height: 560 });
  await panel.open();
  for (let i = 0; i < 16; i++) {
    await page.keyboard.press(i < 8 ? "Tab" : "Shift+Tab");
    const covered = await page.evaluate(() => {
      const root = document.querySelector("support-request-panel")!.shadowRoot!;
      const focused = root.activeElement;
      if (!focused) return null;
      const { left, top, width, height } = focused.getBoundingClientRect();
      const shown = root.elementFromPoint(left + width / 2, top + height / 2);
      return shown && focused.contains(shown) ? null : focused.outerHTML;
    });
    assertEquals(covered, null);
  }
});

test("what is pasted from a terminal is sent, and stored clean", async (stage) => {
  const { panel, posts } = stage;
  await panel.open();
  await panel.field("Summary").fill("Failed:\tstep 2");
  await panel.field(/Description/).fill("\u001b[31mrow\t40000\u0000\r\nnext\u2028last");
  await panel.send.click();
  await done(stage);
  await panel.card.getByText("Failed: step 2", { exact: true }).waitFor();
  assertEquals(posts[0]!.body.description, "row\t40000\0\nnext\u2028last");
});
