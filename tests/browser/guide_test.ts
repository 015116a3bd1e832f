/// <reference lib="dom" />
/** The home page and the guide at `/docs`: its panel works, and each page is accessible in every look. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { guideExamples, PLACEHOLDER_URL } from "../support/guide.ts";
import { useStageTests, WEBKIT_LACKS } from "./suite.ts";

const test = useStageTests();

/** A folder to save pictures in, for people to look at. */
const screenshots = Deno.env.get("SCREENSHOTS");

const WIDTHS = { 1280: 800, 390: 844, 320: 256 };

/** Returns the page that the guide of the service shows. */
async function guidePage(service: string): Promise<string> {
  const examples = guideExamples(await (await fetch(`${service}/docs`)).text());
  const [code, ...others] = examples.filter(({ kind }) => kind === "html");
  assertEquals(others, []);
  return `<!doctype html><html lang="en"><title>Guide</title><link rel="icon" href="data:,">` +
    code!.text.replace(PLACEHOLDER_URL, service).replace("/my-backend/support-token", "/token");
}

test("the page of the guide opens the panel and creates a ticket", async (stage) => {
  const { page, panel, desk } = stage;
  await page.getByRole("button", { name: "Request support" }).click();
  await panel.field("Summary").fill("The nightly import stops");
  await panel.send.click();
  await panel.dialog.locator("a[href*=Ticket]").first().waitFor();
  assertEquals(desk.tickets.length, 1);
}, { productPage: guidePage });

test("the guide has its service's URL in every command, to copy", async ({ page, url }) => {
  await page.goto(`${url}/docs`);
  const text = await page.locator("main").innerText();
  assertEquals(text.includes(PLACEHOLDER_URL), false);
  await page.evaluate(`
    navigator.clipboard.writeText = (text) => { globalThis.copied = text; return Promise.resolve(); };
  `);
  const block = page.locator(".code").first();
  await block.getByRole("button", { name: "Copy" }).click();
  await block.getByRole("button", { name: "Copied" }).waitFor();
  assertStringIncludes(await page.evaluate("copied"), `export DESKHAND=${url}\n`);
});

test("a link of the guide to a folded part opens it", async ({ page, url }) => {
  await page.goto(`${url}/docs`);
  await page.getByRole("link", { name: "Submission" }).first().click();
  await page.locator("#schema-Submission").getByText("at most 200 characters").waitFor();
});

test("no button of the guide covers code, at any width", async ({ page, url }) => {
  await page.goto(`${url}/docs`);
  // A window of WebKit is no narrower.
  for (const width of [1280, 450]) {
    await page.setViewportSize({ width, height: 800 });
    const covered = await page.evaluate(() =>
      [...document.querySelectorAll(".code")].filter((block) => {
        const [code, button] = ["pre", "button"].map((name) =>
          block.querySelector(name)!.getBoundingClientRect()
        );
        return button!.left < code!.right - 0.5 && button!.right > code!.left + 0.5 &&
          button!.top < code!.bottom - 0.5 && button!.bottom > code!.top + 0.5;
      }).length
    );
    assertEquals(covered, 0, `${width} pixels`);
  }
  assertEquals(await page.locator(".code button").count() > 3, true);
});

test("without scripts, the guide and the reference can be read", async (stage) => {
  const browser = stage.page.context().browser()!;
  const context = await browser.newContext({ javaScriptEnabled: false });
  try {
    const page = await context.newPage();
    await page.goto(`${stage.url}/docs`);
    await page.getByText(`export DESKHAND=${PLACEHOLDER_URL}`).waitFor();
    await page.locator("summary", { hasText: "/latest/resume" }).first().click();
    await page.locator("#resumeLatestInTenant").getByText("handoff-in-progress").waitFor();
  } finally {
    await context.close();
  }
}, {
  not: {
    firefox: "Its driver cannot switch scripts off",
    webkit: "Its driver cannot switch scripts off",
  },
});

for (const path of ["/", "/docs"]) {
  test(`${path}: axe finds nothing and nothing overflows, in any look`, async ({ page, url }) => {
    await page.goto(url + path);
    await page.evaluate(() => {
      for (const details of document.querySelectorAll("details")) details.open = true;
    });
    await page.evaluate(axe.source);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      for (const [width, height] of Object.entries(WIDTHS)) {
        await page.setViewportSize({ width: Number(width), height });
        const look = `${colorScheme}, ${width} pixels`;
        assertEquals(await violations(page), [], look);
        assertEquals(await overflowing(page), [], look);
      }
    }
    if (screenshots) await takePictures(page, path === "/" ? "home" : "guide");
  }, {
    not: {
      firefox: "axe reads the same tree in every engine, and takes minutes",
      webkit: WEBKIT_LACKS.media,
    },
  });
}

async function violations(page: Page): Promise<string[]> {
  return await page.evaluate(async () => {
    // deno-lint-ignore no-explicit-any -- axe puts itself there
    const { violations } = await (globalThis as any).axe.run();
    // deno-lint-ignore no-explicit-any
    return violations.flatMap(({ id, nodes }: any) =>
      // deno-lint-ignore no-explicit-any
      nodes.map(({ html, failureSummary }: any) => `${id}: ${html} ${failureSummary}`)
    );
  });
}

/** Elements that are wider than the page. Code and tables scroll by themselves. */
async function overflowing(page: Page): Promise<string[]> {
  return await page.evaluate(() =>
    [...document.querySelectorAll("body, body *:not(pre *):not(.table *)")]
      .filter((element) => element.getBoundingClientRect().right > innerWidth + 0.5)
      .map((element) => element.outerHTML.slice(0, 80))
  );
}

async function takePictures(page: Page, name: string): Promise<void> {
  await page.reload();
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    for (const [width, height] of [[390, 844], [1280, 800]] as const) {
      await page.setViewportSize({ width, height });
      const path = `${screenshots}/${name}-${width}-${colorScheme}.png`;
      await page.screenshot({ path, fullPage: true });
    }
  }
}
