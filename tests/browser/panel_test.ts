/// <reference lib="dom" />
import { assert, assertEquals } from "@std/assert";
import { useStageTests, WEBKIT_LACKS } from "./suite.ts";
import { fillIn, HOSTILE, store } from "./states.ts";

const test = useStageTests();

test("hostile texts are texts", async (stage) => {
  const { panel, page } = stage;
  for (const [name, text] of Object.entries(HOSTILE)) {
    await store(stage, { summary: text });
    await panel.open();
    assertEquals(await panel.strip.locator(".section p").textContent(), text);
    await panel.field("Summary").fill(`${name}: ${text}`.slice(0, 200));
    await panel.field(/Description/).fill(text);
    await panel.send.click();
    await panel.button("New request").waitFor();
    await page.keyboard.press("Escape");
  }
  assertEquals(await page.title(), "Demo product");
  assertEquals(await panel.dialog.locator("img, script, b").count(), 0);
});

test("a URL that is not of the web is no link", async (stage) => {
  const { panel, page } = stage;
  const stored = await store(stage, { summary: "Odd", handoff: { mode: "link", ticket: "42" } });
  stored.handoff.ticket.url = "javascript:document.title='owned'";
  await page.route("**/latest", (route) =>
    route.fulfill({
      json: { desk: null, handoffModes: ["none"], supportRequest: stored },
      headers: { "Access-Control-Allow-Origin": "*" },
    }));
  await panel.open();
  await panel.dialog.locator("#latest").click();
  await panel.strip.getByRole("heading", { name: "Linked to ticket #42" }).waitFor();
  assertEquals(await panel.strip.getByRole("link").count(), 0);
});

test("a script that is loaded twice does no harm", async ({ panel }) => {
  await panel.open();
  await panel.strip.getByText("will get your request").waitFor();
}, { head: (service) => `<script src="${service}/panel.js" defer></script>` });

test(
  "the script's URL is not taken from an image of that name",
  async ({ panel, url, requested }) => {
    await panel.open();
    assertEquals(requested.at(-1), `${url}/v1/tenants/acme/support-requests/latest`);
  },
  { head: () => `<img name="currentScript" src="data:,panel.js" alt="">` },
);

test("a page may load it as a module", async ({ panel }) => {
  await panel.open();
  await panel.strip.getByText("will get your request").waitFor();
}, { head: (service) => `<script src="${service}/panel.js" type="module"></script>` });

test("a panel that is moved in the page stays open", async ({ page, panel }) => {
  await panel.open();
  await panel.field("Summary").fill("Still here");
  await page.evaluate("document.querySelector('main').append(panel)");
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
  assert(await panel.dialog.isVisible());
  assertEquals(await panel.field("Summary").inputValue(), "Still here");
  await page.evaluate("panel.remove()");
  assertEquals(await panel.dialog.count(), 0);
});

test("the look follows the page, and the button's text its colour", async ({ page, panel }) => {
  await panel.open();
  for (
    const [accent, text] of [
      ["#ffdd00", "color(srgb-linear 0 0 0)"],
      ["#003a8c", "color(srgb-linear 1 1 1)"],
    ] as const
  ) {
    await page.evaluate((accent) => {
      const { style } = document.querySelector("support-request-panel") as HTMLElement;
      style.setProperty("--support-accent", accent);
    }, accent);
    const colour = await panel.send.evaluate((button) => getComputedStyle(button).color);
    assertEquals(colour, text);
  }
});

test("every control is at least 24 pixels high and wide", async (stage) => {
  const { panel } = stage;
  await store(stage, { summary: "With a link", handoff: { mode: "link", ticket: "1" } });
  await panel.open();
  await panel.dialog.locator("#latest").click();
  await fillIn(stage);
  for (const control of await panel.dialog.locator("button, input, select, textarea, a").all()) {
    const box = await control.boundingBox();
    if (box === null) continue;
    assert(box.height >= 24 && box.width >= 24, await control.evaluate((node) => node.outerHTML));
  }
});

test("motion is only shown to people who have not asked for less", async ({ page, panel }) => {
  await panel.open();
  const animation = () => panel.dialog.evaluate((dialog) => getComputedStyle(dialog).animationName);
  assertEquals(await animation(), "none");
  await page.emulateMedia({ reducedMotion: "no-preference" });
  assertEquals(await animation(), "slide");
}, {
  not: { webkit: WEBKIT_LACKS.media, firefox: "What its person asks for is fixed when it starts" },
});
