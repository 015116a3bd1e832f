/// <reference lib="dom" />
import { assertEquals } from "@std/assert";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { openStage } from "./stage.ts";
import { launch, UNSANITIZED } from "../support/chromium.ts";
import { STATES } from "./states.ts";

let browser: Browser;
Deno.test.beforeAll(async () => {
  browser = await launch();
});
Deno.test.afterAll(() => browser?.close());

/** A folder to save a picture of each state in, for people to look at. */
const screenshots = Deno.env.get("SCREENSHOTS");

const EVERYTHING = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

const WIDTHS = { 390: 844, 1280: 800 };

for (const { name, options, arrange } of STATES) {
  Deno.test(`${name}: axe finds nothing, and nothing overflows`, UNSANITIZED, async () => {
    await using stage = await openStage(browser, options);
    await arrange(stage);
    const { page } = stage;
    await page.evaluate(axe.source);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      // Of all that axe looks at, only the contrast depends on the scheme.
      const rules = colorScheme === "light" ? EVERYTHING : ["cat.color"];
      assertEquals(await violations(page, rules), [], colorScheme);
      for (const [width, height] of Object.entries(WIDTHS)) {
        await page.setViewportSize({ width: Number(width), height });
        assertEquals(await overflowing(page), [], `${width} pixels`);
        if (screenshots) {
          await page.screenshot({ path: `${screenshots}/${name}-${width}-${colorScheme}.png` });
        }
      }
    }
    await page.setViewportSize({ width: 320, height: 256 });
    assertEquals(await overflowing(page), [], "320 by 256 pixels");
    const broken = stage.complaints.filter((text) => /Polic|Trusted|Uncaught/.test(text));
    assertEquals(broken, []);
  });
}

async function violations(page: Page, rules: string[]): Promise<string[]> {
  return await page.evaluate(async (runOnly) => {
    // deno-lint-ignore no-explicit-any -- axe puts itself there
    const { violations } = await (globalThis as any).axe.run(document, { runOnly });
    // deno-lint-ignore no-explicit-any
    return violations.flatMap(({ id, nodes }: any) =>
      // deno-lint-ignore no-explicit-any
      nodes.map(({ html, failureSummary }: any) => `${id}: ${html} ${failureSummary}`)
    );
  }, rules);
}

/** Elements that are wider than what shows them. */
async function overflowing(page: Page): Promise<string[]> {
  return await page.evaluate(() => {
    const root = document.querySelector("support-request-panel")!.shadowRoot!;
    return [document.documentElement, ...root.querySelectorAll("*")]
      .filter((element) => element.clientWidth > 0 && element.scrollWidth > element.clientWidth)
      .filter((element) => !element.matches("input, select, #announcer"))
      .map((element) => element.outerHTML.slice(0, 80));
  });
}
