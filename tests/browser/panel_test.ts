/// <reference lib="dom" />
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import type { Browser } from "playwright-core";
import { openStage, PANEL, type Stage, type StageOptions, until } from "./stage.ts";
import { launch, UNSANITIZED } from "../support/chromium.ts";
import { fillIn, HOSTILE, keep } from "./states.ts";

let browser: Browser;
Deno.test.beforeAll(async () => {
  browser = await launch();
});
Deno.test.afterAll(() => browser?.close());

function test(name: string, run: (stage: Stage) => Promise<void>, options?: StageOptions) {
  Deno.test(name, UNSANITIZED, async () => {
    await using stage = await openStage(browser, options);
    await run(stage);
    assertEquals(stage.complaints, []);
  });
}

Deno.test("the panel is one file of at most 9 KiB gzipped", async () => {
  const { body } = new Response(await Deno.readFile(PANEL));
  const gzipped = await new Response(body!.pipeThrough(new CompressionStream("gzip"))).bytes();
  assertLessOrEqual(gzipped.length, 9 * 1024);
});

test("hostile texts are texts", async (stage) => {
  const { panel, page } = stage;
  for (const [name, text] of Object.entries(HOSTILE)) {
    await keep(stage, { summary: text });
    await panel.open();
    assertEquals(await panel.card.locator("p[dir=auto]").textContent(), text);
    await panel.field("Summary").fill(`${name}: ${text}`.slice(0, 200));
    await panel.field(/Description/).fill(text);
    await panel.send.click();
    await panel.button("Write another request").waitFor();
    await page.keyboard.press("Escape");
  }
  assertEquals(await page.title(), "Demo product");
  assertEquals(await panel.dialog.locator("img, script, b").count(), 0);
});

test("an address that is not of the web is no link", async (stage) => {
  const { panel, page } = stage;
  const kept = await keep(stage, { summary: "Odd", handoff: { mode: "link", ticket: "42" } });
  kept.handoff.ticket.url = "javascript:document.title='owned'";
  await page.route("**/latest", (route) =>
    route.fulfill({
      json: { desk: null, handoffModes: ["none"], supportRequest: kept },
      headers: { "Access-Control-Allow-Origin": "*" },
    }));
  await panel.open();
  await panel.card.getByText("It is linked to a ticket").waitFor();
  assert((await panel.card.innerText()).endsWith("\n42"));
  assertEquals(await panel.card.getByRole("link").count(), 0);
});

test("a script that is loaded twice does no harm", async ({ panel }) => {
  await panel.open();
  await panel.card.getByText("No request").waitFor();
}, { head: (service) => `<script src="${service}/panel.js" defer></script>` });

test(
  "the script's address is not taken from an image of that name",
  async ({ panel, page, url }) => {
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    await panel.open();
    assertEquals(asked.at(-1), `${url}/v1/tenants/acme/support-requests/latest`);
  },
  { head: () => `<img name="currentScript" src="data:,panel.js" alt="">` },
);

test("a page may load it as a module", async ({ panel }) => {
  await panel.open();
  await panel.card.getByText("No request").waitFor();
}, { head: (service) => `<script src="${service}/panel.js" type="module"></script>` });

test("open works as a method, an attribute and a property", async ({ page, panel }) => {
  for (
    const [open, close] of [
      ["panel.open()", "panel.close()"],
      ["panel.setAttribute('open', '')", "panel.removeAttribute('open')"],
      ["panel.open = true", "panel.open = false"],
    ]
  ) {
    await page.evaluate(open!);
    await panel.card.getByText("No request").waitFor();
    assertEquals(await page.evaluate("panel.hasAttribute('open')"), true);
    await page.evaluate(close!);
    await panel.dialog.waitFor({ state: "hidden" });
  }
  await page.evaluate("panel.open()");
  await page.keyboard.press("Escape");
  await until(() => page.evaluate("!panel.hasAttribute('open')"));
});

test("a panel that is moved in the page stays open", async ({ page, panel }) => {
  await panel.open();
  await panel.field("Summary").fill("Still here");
  await page.evaluate("document.querySelector('main').append(panel)");
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 50)));
  assert(await panel.dialog.isVisible());
  assertEquals(await panel.field("Summary").inputValue(), "Still here");
  await page.evaluate("panel.remove()");
  assertEquals(await panel.dialog.count(), 0);
});

test("a page may replace texts, and gets no keys that are typed here", async ({ page, panel }) => {
  await page.evaluate(`
    panel.texts = { lang: "de", title: "Hilfe anfordern", toCreate: "An {desk}, als neues Ticket" };
    globalThis.keys = [];
    document.addEventListener("keydown", ({ key }) => keys.push(key));
    panel.open();
  `);
  const dialog = page.getByRole("dialog", { name: "Hilfe anfordern" });
  await dialog.getByRole("option", { name: "An Acme IT desk, als neues Ticket" }).waitFor({
    state: "attached",
  });
  assertEquals(await dialog.getAttribute("lang"), "de");
  await dialog.getByLabel("Summary").pressSequentially("s/");
  assertEquals(await page.evaluate("keys"), []);
  assertEquals(await panel.dialog.count(), 0);
});

test("the look follows the page, and the button's text its colour", async ({ page, panel }) => {
  await panel.open();
  for (
    const [accent, text] of [
      ["#ffdd00", "color(xyz-d65 0 0 0)"],
      ["#003a8c", "color(xyz-d65 0.95 1 1.089)"],
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
  await keep(stage, { summary: "With a link", handoff: { mode: "link", ticket: "1" } });
  await panel.open();
  await fillIn(stage);
  for (const control of await panel.dialog.locator("button, input, select, textarea, a").all()) {
    const box = await control.boundingBox();
    if (box === null) continue;
    assert(box.height >= 24 && box.width >= 24, await control.evaluate((node) => node.outerHTML));
  }
});

test("motion is only shown to who has not asked for less", async ({ page, panel }) => {
  await panel.open();
  const animation = () => panel.dialog.evaluate((dialog) => getComputedStyle(dialog).animationName);
  assertEquals(await animation(), "none");
  await page.emulateMedia({ reducedMotion: "no-preference" });
  assertEquals(await animation(), "slide");
});
