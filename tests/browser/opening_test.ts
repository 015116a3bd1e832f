/// <reference lib="dom" />
/** The form is usable as soon as the panel is opened: nothing is awaited, and nothing moves. */
import { assertEquals } from "@std/assert";
import type {} from "../../routes/panel/src/element.ts";
import { waitFor } from "../support/wait_for.ts";
import type { Stage } from "./stage.ts";
import { store } from "./states.ts";
import { useStageTests } from "./suite.ts";

const test = useStageTests();

/** Opens the panel, and returns what a person can use in the same task. */
const openInOneTask = ({ page }: Stage) =>
  page.evaluate(() => {
    const panel = document.querySelector("support-request-panel")!;
    panel.show();
    const { activeElement } = panel.shadowRoot!;
    return {
      title: panel.shadowRoot!.querySelector("#title")!.textContent,
      focused: activeElement?.id,
      isVisible: activeElement!.clientHeight > 0,
    };
  });

const neverAnswered = ({ page }: Stage) =>
  Promise.all(["**/latest", "**/token"].map((path) => page.route(path, () => {})));

test("the form is usable before any response, in the task that opens it", async (stage) => {
  await neverAnswered(stage);
  assertEquals(await openInOneTask(stage), {
    title: "Request support",
    focused: "summary",
    isVisible: true,
  });
});

test("a language is loaded before the panel is opened, and not awaited then", async (stage) => {
  await neverAnswered(stage);
  const isRendered = () =>
    stage.page.evaluate(() => {
      const root = document.querySelector("support-request-panel")!.shadowRoot!;
      return root.querySelector("#title")!.textContent === "Support anfragen";
    });
  // Rendered ahead, while the panel is closed.
  await waitFor("the closed panel in German", isRendered);
  await stage.page.route("**/locales/*", (route) => route.abort());
  assertEquals((await openInOneTask(stage)).title, "Support anfragen");
}, { lang: "de", not: { webkit: "It has no requestIdleCallback, so nothing is rendered ahead" } });

test("without its language, the form is usable in English all the same", async (stage) => {
  await neverAnswered(stage);
  assertEquals((await openInOneTask(stage)).focused, "summary");
}, {
  lang: "de",
  before: `
    const { fetch } = globalThis;
    globalThis.fetch = (url, init) =>
      String(url).includes("/locales/") ? new Promise(() => {}) : fetch(url, init);
  `,
});

for (const lang of ["en", "de", "ar"]) {
  test(
    `nothing moves when the panel opens and its latest request arrives, ${lang}`,
    async (stage) => {
      const { page, panel } = stage;
      await store(stage, { summary: "The export lacks a column", handoff: { mode: "create" } });
      await page.evaluate(() => {
        const shifts = globalThis as unknown as { shifts: string[] };
        shifts.shifts = [];
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) shifts.shifts.push(JSON.stringify(entry));
        }).observe({ type: "layout-shift", buffered: true });
      });
      await panel.open();
      await panel.dialog.locator("#latest").waitFor();
      // Two frames: shifts are reported after the first.
      await page.evaluate(() =>
        new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
      );
      assertEquals(await page.evaluate("shifts"), []);
    },
    { lang },
  );
}

/** Returns how often a script made the browser lay out the page while `run` was running. */
async function forcedLayouts({ page }: Stage, run: () => Promise<unknown>): Promise<number> {
  const browser = page.context().browser()!;
  await browser.startTracing(page, {
    categories: ["devtools.timeline", "disabled-by-default-devtools.timeline.stack"],
  });
  await run();
  const { traceEvents } = JSON.parse(new TextDecoder().decode(await browser.stopTracing()));
  const events: { name: string; args: { beginData?: { stackTrace?: unknown } } }[] = traceEvents;
  return events.filter(({ name, args }) => name === "Layout" && args.beginData?.stackTrace).length;
}

test("opening makes the browser lay out the page once", async (stage) => {
  await neverAnswered(stage);
  const click = () => stage.page.evaluate("document.querySelector('#ask').click()");
  assertEquals(await forcedLayouts(stage, click), 1);
}, {
  not: {
    firefox: "Only Chromium's protocol counts layouts",
    webkit: "Only Chromium's protocol counts layouts",
  },
});
