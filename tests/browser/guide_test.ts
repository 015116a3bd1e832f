/// <reference lib="dom" />
/** The guide at `/docs` in Chromium: its panel works, and the page is accessible in every look. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { mintToken } from "../demo/token.ts";
import { UNSANITIZED } from "../support/chromium.ts";
import { AUTH_SECRET } from "../support/constants.ts";
import { guideExamples, PLACEHOLDER_URL } from "../support/guide.ts";
import { openStage } from "./stage.ts";
import { useBrowser } from "./suite.ts";

const browser = useBrowser();

/** A folder to save pictures in, for people to look at. */
const screenshots = Deno.env.get("SCREENSHOTS");

Deno.test("the page of the guide opens the panel and creates a ticket", UNSANITIZED, async () => {
  let html = "";
  // A product's server. Chromium lets no page that a test only pretends to serve call loopback.
  await using product = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/token") return new Response(await mintToken(AUTH_SECRET));
      return new Response(html, { headers: { "Content-Type": "text/html" } });
    },
  );
  const origin = `http://127.0.0.1:${product.addr.port}`;
  await using stage = await openStage(browser(), { env: { CORS_ORIGINS: origin } });
  const { page, panel, desk, url } = stage;
  const examples = guideExamples(await (await fetch(`${url}/docs`)).text());
  const [code, ...others] = examples.filter(({ kind }) => kind === "html");
  assertEquals(others, []);
  html = `<!doctype html><html lang="en"><title>Guide</title><link rel="icon" href="data:,">` +
    code!.text.replace(PLACEHOLDER_URL, url).replace("/my-backend/support-token", "/token");
  await page.goto(origin);
  await page.getByRole("button", { name: "Request support" }).click();
  await panel.field("Summary").fill("The nightly import stops");
  await panel.send.click();
  await panel.dialog.locator("a[href*=Ticket]").first().waitFor();
  assertEquals(desk.tickets.length, 1);
  assertEquals(stage.complaints, []);
});

Deno.test("the guide has its service's URL in every command, to copy", UNSANITIZED, async () => {
  await using stage = await openStage(browser());
  const { page, url } = stage;
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.goto(`${url}/docs`);
  const text = await page.locator("main").innerText();
  assertEquals(text.includes(PLACEHOLDER_URL), false);
  const block = page.locator(".code", { hasText: "export DESKHAND" });
  await block.getByRole("button", { name: "Copy" }).click();
  await block.getByRole("button", { name: "Copied" }).waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assertStringIncludes(copied, `export DESKHAND=${url}\n`);
  // A link to a folded part opens it.
  await page.getByRole("link", { name: "Submission" }).first().click();
  await page.locator("#schema-Submission").getByText("at most 200 characters").waitFor();
  assertEquals(stage.complaints, []);
});

Deno.test("without scripts, the guide and the reference can be read", UNSANITIZED, async () => {
  await using stage = await openStage(browser());
  const context = await browser().newContext({ javaScriptEnabled: false });
  try {
    const page = await context.newPage();
    await page.goto(`${stage.url}/docs`);
    await page.getByText(`export DESKHAND=${PLACEHOLDER_URL}`).waitFor();
    await page.locator("summary", { hasText: "/latest/resume" }).first().click();
    await page.locator("#resumeLatestInTenant").getByText("handoff-in-progress").waitFor();
  } finally {
    await context.close();
  }
});

for (const path of ["/", "/docs"]) {
  Deno.test(
    `${path}: axe finds nothing and nothing overflows, in any look`,
    UNSANITIZED,
    async () => {
      await using stage = await openStage(browser());
      const { page, url } = stage;
      await page.goto(url + path);
      await page.evaluate(() => {
        for (const details of document.querySelectorAll("details")) details.open = true;
      });
      await page.evaluate(axe.source);
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        for (const [width, height] of [[1280, 800], [390, 844], [320, 256]] as const) {
          await page.setViewportSize({ width, height });
          const look = `${colorScheme}, ${width} pixels`;
          assertEquals(await violations(page), [], look);
          assertEquals(await overflowing(page), [], look);
        }
      }
      if (screenshots) await takePictures(page, path === "/" ? "home" : "guide");
      assertEquals(stage.complaints, []);
    },
  );
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
