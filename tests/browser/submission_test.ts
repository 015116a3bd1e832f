/// <reference lib="dom" />
import { assert, assertEquals, assertMatch } from "@std/assert";
import { waitFor } from "../support/wait_for.ts";
import { useStageTests } from "./suite.ts";
import { type Stage } from "./stage.ts";
import { fillIn, store } from "./states.ts";

const test = useStageTests();

/** Tests what a person does on a page that reports no error. */
/** Waits for the result, and returns its headline. */
const headline = ({ panel }: Stage) => panel.result.locator("#headline").innerText();

const isFocused = (element: { matches(selector: string): boolean }) => element.matches(":focus");

test("a request is sent from a page of another origin, and its ticket shown", async (stage) => {
  const { panel, page, desk, posts } = stage;
  await panel.open();
  // The form is the first thing, ready to be typed into.
  assert(await panel.field("Summary").evaluate(isFocused));
  await fillIn(stage);
  await panel.send.click();
  assertEquals(await headline(stage), "Ticket #1 created");
  assert(await panel.result.locator("#headline").evaluate(isFocused));

  const link = panel.result.getByRole("link", { name: "Open ticket #1" });
  assertEquals(await link.getAttribute("href"), `${desk.url}/Ticket/Display.html?id=1`);
  assertEquals(await link.getAttribute("rel"), "noopener noreferrer");
  assertEquals(await link.getAttribute("target"), "_blank");
  assertMatch(await panel.result.locator("code").innerText(), /^SR-[0-9A-Z]{26}$/);
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
});

test("a linked ticket is shown as one that nobody checked, in a neutral color", async (stage) => {
  const { panel, desk } = stage;
  await panel.open();
  await fillIn(stage);
  await panel.field("Send to").selectOption({ label: "An existing ticket at Acme IT desk" });
  await panel.field("Which ticket?").fill(`${desk.url}/Ticket/Display.html?id=42`);
  await panel.send.click();
  assertEquals(await headline(stage), "Linked to ticket #42");
  await panel.result.getByText("We did not check this ticket.").waitFor();
  const href = await panel.result.getByRole("link", { name: "Open ticket #42" }).getAttribute(
    "href",
  );
  assertEquals(href, `${desk.url}/Ticket/Display.html?id=42`);
  const color = await panel.result.locator(".icon").evaluate((icon) =>
    getComputedStyle(icon).getPropertyValue("--_tone")
  );
  const muted = await panel.dialog.evaluate((dialog) =>
    getComputedStyle(dialog).getPropertyValue("--_muted")
  );
  assertEquals(color, muted);
  assertEquals(desk.tickets, []);
});

test("a request can be saved without being sent to the desk", async (stage) => {
  const { panel, desk } = stage;
  await panel.open();
  await fillIn(stage);
  await panel.field("Send to").selectOption({ label: "Nobody: save it here only" });
  await panel.send.click();
  assertEquals(await headline(stage), "Request saved");
  await panel.result.getByText("It was not sent to a support desk.").waitFor();
  assertEquals(desk.tickets, []);
});

test("without a desk there is no choice, and the person is told before sending", async (stage) => {
  const { panel, posts } = stage;
  await panel.open();
  await panel.strip.getByText("No support desk is connected.").waitFor();
  assertEquals(await panel.field("Send to").isVisible(), false);
  await fillIn(stage);
  await panel.send.click();
  assertEquals(await headline(stage), "Request saved");
  assertEquals(posts[0]!.body.handoff, { mode: "none" });
}, { hasDesk: false });

test("a reopened panel shows an empty form, and the latest request in one line", async (stage) => {
  const { panel, page } = stage;
  await panel.open();
  assertEquals(await panel.dialog.locator("#latest").count(), 0);
  await fillIn(stage);
  await panel.send.click();
  await headline(stage);
  await panel.button("Done").click();
  await panel.dialog.waitFor({ state: "hidden" });
  await store(stage, { summary: "A newer one, by somebody else" });
  await panel.open();
  const line = panel.dialog.locator("#latest");
  assertEquals(
    await line.locator(".line").innerText(),
    "A newer one, by somebody else\nLatest request · Request saved",
  );
  assertEquals(await panel.dialog.getByText("Grace Hopper").isVisible(), false);
  for (const label of ["Summary", /Description/, /Your name/, /Your email/]) {
    assertEquals(await panel.field(label).inputValue(), "");
  }
  assertEquals(await panel.field("Severity").inputValue(), "normal");
  // It opens by keyboard, too.
  await line.press("Enter");
  await panel.dialog.getByText("Grace Hopper").waitFor();
  await page.keyboard.press("Enter");
  await panel.dialog.getByText("Grace Hopper").waitFor({ state: "hidden" });
});

test("a request in progress can be refreshed until it has a result", async (stage) => {
  const { panel, desk } = stage;
  desk.behave("slow");
  const stored = store(stage, { summary: "The export hangs", handoff: { mode: "create" } });
  await waitFor("a stored request", () => stage.countStored(), (count) => count === 1);
  await panel.open();
  await panel.dialog.locator("#latest").click();
  await panel.strip.getByText("This can take a few seconds.").waitFor();
  await stored;
  await panel.button("Refresh").click();
  await panel.strip.getByText("Acme IT desk did not respond in time.").waitFor();
});

test("another request can be written right away", async (stage) => {
  const { panel } = stage;
  await panel.open();
  await fillIn(stage);
  await panel.send.click();
  await headline(stage);
  await panel.button("New request").click();
  assert(await panel.field("Summary").evaluate(isFocused));
  await panel.field("Summary").fill("Another");
  await panel.button("Send request").click();
  assertEquals(await headline(stage), "Ticket #2 created");
  await panel.result.getByText("Another", { exact: true }).waitFor();
  assertEquals(await stage.countStored(), 2);
});

test("the keyboard alone is enough, and focus comes back to the opener", async (stage) => {
  const { panel, page } = stage;
  const press = async (...keys: string[]) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  await press("Tab", "Enter");
  await panel.dialog.locator("#strip[aria-busy=false]").waitFor({ state: "attached" });
  await page.keyboard.type("From the keyboard");
  await press("Tab");
  await page.keyboard.type("Line one\nLine two");
  await press("Tab", "ArrowDown", "Tab", "Tab", "Tab");
  await page.keyboard.type("An e");
  await press("Tab");
  await page.keyboard.type("42");
  await press("Enter");
  assertEquals(await headline(stage), "Linked to ticket #42");
  // From the headline to the link, and never behind the dialog.
  await press("Tab");
  assert(await panel.result.getByRole("link").evaluate(isFocused));
  for (let i = 0; i < 6; i++) {
    await press("Tab");
    assert(await page.evaluate("document.activeElement?.id") !== "ask");
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

test("Ctrl and Enter send from the description, and Enter alone is a new line", async (stage) => {
  const { panel, page, posts } = stage;
  await panel.open();
  await panel.field("Summary").fill("By shortcut");
  await panel.field(/Description/).click();
  await page.keyboard.type("One\nTwo");
  assertEquals(posts, []);
  await page.keyboard.press("Control+Enter");
  await headline(stage);
  assertEquals(posts[0]!.body.description, "One\nTwo");
});

test("Enter that ends a composition does not send", async ({ panel, posts }) => {
  await panel.open();
  await panel.field("Summary").fill("日本");
  await panel.field("Summary").evaluate((field) => {
    const init = { key: "Enter", isComposing: true, bubbles: true, composed: true };
    field.dispatchEvent(new KeyboardEvent("keydown", init));
  });
  assertEquals(await panel.send.getAttribute("aria-disabled"), "false");
  assertEquals(posts, []);
});

for (const [width, height] of [[450, 480], [390, 560], [320, 256]] as const) {
  test(`on ${width} by ${height} pixels, what has the focus is never covered`, async (stage) => {
    const { panel, page } = stage;
    await panel.open();
    await page.setViewportSize({ width, height });
    for (let i = 0; i < 20; i++) {
      await page.keyboard.press(i < 10 ? "Tab" : "Shift+Tab");
      // Firefox and WebKit scroll a field into view a frame after it has the focus.
      const covered = () =>
        page.evaluate(() => {
          const root = document.querySelector("support-request-panel")!.shadowRoot!;
          const focused = root.activeElement;
          if (!focused) return null;
          const { left, top, width, height } = focused.getBoundingClientRect();
          const shown = root.elementFromPoint(left + width / 2, top + Math.min(height / 2, 20));
          return shown && focused.contains(shown) ? null : focused.outerHTML;
        });
      await waitFor("a focus that is not covered", covered, (covered) => covered === null);
    }
  }, width < 447 ? { not: { webkit: "Its window is at least 447 pixels wide" } } : {});
}

test("an error and a hint are never below the footer when their field has focus", async (stage) => {
  const { panel, page } = stage;
  await page.setViewportSize({ width: 450, height: 480 });
  await panel.open();
  await panel.field("Send to").selectOption("link");
  await panel.field("Summary").fill("There is one");
  await panel.send.click();
  const error = panel.dialog.locator("#ticket-error");
  assertEquals(await error.innerText(), "Enter a ticket number or URL.");
  // Firefox and WebKit scroll a focused field into view in a later frame.
  const gap = async () => {
    const bottom = await error.evaluate((element) => element.getBoundingClientRect().bottom);
    const footer = await panel.dialog.locator("footer").evaluate((element) =>
      element.getBoundingClientRect().top
    );
    return footer - bottom;
  };
  await waitFor("the error is above the footer", gap, (gap) => gap >= 0);
});

test("what is pasted from a terminal is sent, and stored clean", async (stage) => {
  const { panel } = stage;
  await panel.open();
  await panel.field("Summary").fill("Failed:\tstep 2");
  await panel.field(/Description/).fill("\u001b[31mrow\t40000\u0000\r\nnext\u2028last");
  await panel.send.click();
  await headline(stage);
  await panel.result.getByText("Failed: step 2", { exact: true }).waitFor();
});
