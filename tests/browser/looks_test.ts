/// <reference lib="dom" />
/** The panel's looks follow the page, and the page does not move behind it. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { useStageTests } from "./suite.ts";
import { type Stage } from "./stage.ts";

const test = useStageTests();

const background = ({ panel }: Stage) =>
  panel.dialog.evaluate((dialog) => getComputedStyle(dialog).backgroundColor);

const WHITE = "rgb(255, 255, 255)";

test("the panel has the page's color scheme rather than the system's", async (stage) => {
  const { page, panel } = stage;
  await panel.open();
  assertEquals(await background(stage), WHITE);
  await page.evaluate("document.documentElement.style.colorScheme = 'dark'");
  assertNotEquals(await background(stage), WHITE);
  await page.evaluate("panel.theme = 'light'");
  assertEquals(await background(stage), WHITE);
  await page.evaluate("document.documentElement.style.colorScheme = ''; panel.theme = 'dark'");
  assertNotEquals(await background(stage), WHITE);
  await page.evaluate("panel.theme = 'auto'");
  assertEquals(await background(stage), WHITE);
}, { colorScheme: "dark" });

test("the panel has the page's font, unless told otherwise", async ({ page, panel }) => {
  await page.evaluate("document.body.style.fontFamily = 'monospace'");
  await panel.open();
  const font = () => panel.dialog.evaluate((dialog) => getComputedStyle(dialog).fontFamily);
  assertEquals(await font(), "monospace");
  await page.evaluate("panel.style.setProperty('--support-font', 'serif')");
  assertEquals(await font(), "serif");
});

test("the panel stands where the page wants it", async ({ page, panel }) => {
  await panel.open();
  const box = async () => (await panel.dialog.boundingBox())!;
  assertEquals((await box()).x + (await box()).width, 1280);
  await page.evaluate("panel.position = 'left'");
  assertEquals((await box()).x, 0);
  await page.evaluate("panel.position = 'center'");
  const { x, width, height } = await box();
  assertEquals(Math.round(x + width / 2), 640);
  assert(height < 800);
});

test("the page behind does not scroll, and does not move", async ({ page, panel }) => {
  await page.evaluate(`
    document.body.style.height = "3000px";
    document.documentElement.style.overflow = "auto";
    scrollTo(0, 100);
  `);
  const left = () => page.locator("h1").evaluate((title) => title.getBoundingClientRect().right);
  const before = await left();
  await page.evaluate("panel.show()");
  assertEquals(await left(), before);
  await page.mouse.move(100, 400);
  await page.mouse.wheel(0, 500);
  await page.evaluate(() => new Promise(requestAnimationFrame));
  assertEquals(await page.evaluate("scrollY"), 100);
  await page.keyboard.press("Escape");
  await page.locator("support-request-panel:not([open])").waitFor({ state: "attached" });
  assertEquals(await page.evaluate("document.documentElement.style.overflow"), "auto");
  await panel.dialog.waitFor({ state: "hidden" });
});

test("a phone's keyboard does not hide the button", async ({ page, panel }) => {
  await page.evaluate(`
    const viewport = new EventTarget();
    Object.assign(viewport, { scale: 1, height: innerHeight, offsetTop: 0 });
    Object.defineProperty(globalThis, "visualViewport", { value: viewport });
    panel.show();
  `);
  await page.evaluate(`
    Object.assign(visualViewport, { height: 420, offsetTop: 30 });
    visualViewport.dispatchEvent(new Event("resize"));
  `);
  const { y, height } = (await panel.send.boundingBox())!;
  assert(y + height <= 450 && y > 30, `${y} + ${height}`);
}, { width: 450, height: 844 });
