/// <reference lib="dom" />
/** A page that the browser restores from its back/forward cache has its panel as it was left. */
import { assertEquals } from "@std/assert";
import { launch, UNSANITIZED } from "../support/chromium.ts";
import { openStage } from "./stage.ts";
import { store } from "./states.ts";

Deno.test("the back button restores an open panel with what was typed", UNSANITIZED, async () => {
  await using browser = await launch({ ignoreDefaultArgs: ["--disable-back-forward-cache"] });
  await using stage = await openStage(browser);
  const { page, panel } = stage;
  await page.evaluate(
    `addEventListener("pageshow", (event) => globalThis.shown = event.persisted)`,
  );
  await panel.open();
  await panel.field("Summary").fill("Half a sen");
  await page.goto(`${stage.url}/livez`);
  await store(stage, { summary: "Meanwhile" });
  await page.goBack({ waitUntil: "commit" });
  assertEquals(await page.evaluate("shown"), true);
  await panel.strip.locator(".line").getByText("Meanwhile").waitFor();
  assertEquals(await panel.field("Summary").inputValue(), "Half a sen");
  await page.keyboard.type("tence");
  assertEquals(await panel.field("Summary").inputValue(), "Half a sentence");
  assertEquals(stage.complaints, []);
});
