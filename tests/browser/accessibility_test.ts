/// <reference lib="dom" />
/** Every state of the panel, in every look: nothing overflows, and axe finds nothing. */
import { assertEquals } from "@std/assert";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { FAULTS, useStageTests } from "./suite.ts";
import { STATES } from "./states.ts";

const test = useStageTests({
  forbids: FAULTS,
  not: {
    firefox: "axe reads the same tree in every engine, and takes minutes",
    webkit: "axe reads the same tree in every engine, and takes minutes",
  },
});

/** A folder to save a picture of each state in, for people to look at. */
const screenshots = Deno.env.get("SCREENSHOTS");

const EVERYTHING = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

const WIDTHS = { 390: 844, 1280: 800 };

/** English, a language with long words, and one that is written from right to left. */
const LANGUAGES = ["en", "de", "ar"];

for (const { name, options, arrange } of STATES) {
  for (const lang of LANGUAGES) {
    test(
      `${name}, ${lang}: axe finds nothing, and nothing overflows`,
      async (stage) => {
        const { page, panel } = stage;
        await arrange(stage);
        await panel.dialog.and(page.locator(`[lang=${lang}]`)).waitFor();
        await page.evaluate(axe.source);
        for (const colorScheme of ["light", "dark"] as const) {
          await page.evaluate(
            (scheme) => document.documentElement.style.colorScheme = scheme,
            colorScheme,
          );
          // Of all that axe looks at, only the contrast depends on the scheme.
          const rules = colorScheme === "light" ? EVERYTHING : ["cat.color"];
          assertEquals(await violations(page, rules), [], colorScheme);
          for (const [width, height] of Object.entries(WIDTHS)) {
            await page.setViewportSize({ width: Number(width), height });
            assertEquals(await overflowing(page), [], `${width} pixels`);
            if (screenshots) {
              const path = `${screenshots}/${name}-${lang}-${width}-${colorScheme}.png`;
              await page.screenshot({ path });
            }
          }
        }
        // 1280 by 1024 pixels at 400 %, and 780 by 1024 at 200 %.
        for (const [width, height] of [[320, 256], [390, 512]] as const) {
          await page.setViewportSize({ width, height });
          assertEquals(await overflowing(page), [], `${width} by ${height} pixels`);
        }
      },
      { ...options, lang },
    );
  }
}

for (const { name, options, arrange } of STATES) {
  if (!["every-field", "result-failed"].includes(name)) continue;
  test(`${name}: with forced colors, every control and the result stay visible`, async (stage) => {
    await arrange(stage);
    const { page, panel } = stage;
    for (const control of await panel.dialog.locator("button, .button, .input, .icon").all()) {
      if (!await control.isVisible()) continue;
      const [border, background] = await control.evaluate((element) => {
        const { borderTopColor, borderTopWidth, backgroundColor } = getComputedStyle(element);
        return [parseFloat(borderTopWidth) > 0 ? borderTopColor : "", backgroundColor];
      });
      const isClose = await control.evaluate((element) => element.classList.contains("quiet"));
      if (!isClose && border === background) throw new Error(await control.innerHTML());
    }
    if (screenshots) await page.screenshot({ path: `${screenshots}/${name}-forced.png` });
  }, { ...options, forcedColors: "active" });
}

async function violations(page: Page, rules: string[]): Promise<string[]> {
  return await page.evaluate(async (runOnly) => {
    // deno-lint-ignore no-explicit-any -- axe puts itself there
    const { violations } = await (globalThis as any).axe.run("support-request-panel", { runOnly });
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
      .filter((element) => !element.matches("input, select, .unseen, .unseen *, .line, .line *"))
      .map((element) => element.outerHTML.slice(0, 80));
  });
}
