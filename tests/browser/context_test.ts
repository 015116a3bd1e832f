/// <reference lib="dom" />
import { assert, assertEquals } from "@std/assert";
import type { Route } from "playwright-core";
import { waitFor } from "../support/wait_for.ts";
import { useStageTests, WEBKIT_LACKS } from "./suite.ts";
import { type Stage } from "./stage.ts";
import { fillIn, store } from "./states.ts";

const test = useStageTests({ defaults: { claims: { tenants: ["acme", "other"] } } });

const go = ({ page }: Stage, tenant: string, run: string | null) =>
  page.evaluate(([tenant, run]) => {
    const panel = document.querySelector("support-request-panel")!;
    panel.setAttribute("tenant", tenant!);
    if (run === null) panel.removeAttribute("run");
    else panel.setAttribute("run", run!);
  }, [tenant, run]);

/** Holds the calls of one path until they are released. */
async function hold({ page }: Stage, path: string) {
  const held: Route[] = [];
  let release = () => {};
  const gone = new Promise<void>((resolve) => release = resolve);
  await page.route((url) => url.pathname === path, async (route) => {
    if (route.request().method() === "OPTIONS") return route.continue();
    held.push(route);
    await gone;
    await route.continue();
  });
  return {
    release,
    isHeld: () => waitFor("a held call", () => held.length > 0),
  };
}

test("a run as a workflow engine names it has a context of its own", async (stage) => {
  const { panel } = stage;
  const runs = ["scheduled__2026-11-25T00:00:00+00:00", "_nightly@host~1=2"];
  for (const run of runs) await store(stage, { summary: `Of ${run}` }, run);
  await panel.open();
  for (const run of runs) {
    await go(stage, "acme", run);
    await panel.strip.locator(".line").getByText(`Of ${run}`, { exact: true }).waitFor();
  }
});

test("a tenant's and a run's latest request are shown each in its own context", async (stage) => {
  const { panel, page } = stage;
  await store(stage, { summary: "Of the tenant" });
  await store(stage, { summary: "Of the run" }, "r-1");
  await panel.open();
  await panel.strip.locator(".line").getByText("Of the tenant").waitFor();
  await go(stage, "acme", "r-1");
  await panel.strip.locator(".line").getByText("Of the run").waitFor();
  assertEquals(await panel.strip.locator(".line").getByText("Of the tenant").count(), 0);
  await go(stage, "other", "r-1");
  await panel.strip.getByText("will get your request").waitFor();
  await page.keyboard.press("Escape");
  await go(stage, "acme", null);
  await panel.open();
  await panel.strip.locator(".line").getByText("Of the tenant").waitFor();
});

test("what is typed stays in its context", async (stage) => {
  const { panel } = stage;
  await go(stage, "acme", "r-1");
  await panel.open();
  await panel.field("Summary").fill("About the run");
  await go(stage, "acme", "r-2");
  await panel.strip.getByText("will get your request").waitFor();
  assertEquals(await panel.field("Summary").inputValue(), "");
  await panel.field("Summary").fill("About the other run");
  await go(stage, "acme", "r-1");
  await panel.strip.getByText("will get your request").waitFor();
  assertEquals(await panel.field("Summary").inputValue(), "About the run");
});

test("a late response about a former context is not shown", async (stage) => {
  const { panel, page } = stage;
  await store(stage, { summary: "Of the tenant" });
  await store(stage, { summary: "Of the run" }, "r-1");
  const slow = await hold(stage, "/v1/tenants/acme/support-requests/latest");
  await page.getByRole("button", { name: "Request support" }).click();
  await slow.isHeld();
  await go(stage, "acme", "r-1");
  await panel.strip.locator(".line").getByText("Of the run").waitFor();
  const responded = page.waitForResponse((response) =>
    response.url().endsWith("/acme/support-requests/latest")
  );
  slow.release();
  await (await responded).finished();
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 50)));
  assertEquals(await panel.strip.locator(".line").getByText("Of the tenant").count(), 0);
  assertEquals(await panel.strip.locator(".line").getByText("Of the run").count(), 1);
}, { not: { webkit: WEBKIT_LACKS.events } });

test("a submission that was left behind ends in its own context", async (stage) => {
  const { panel, page, posts } = stage;
  await go(stage, "acme", "r-1");
  await panel.open();
  await fillIn(stage, "About run 1");
  const slow = await hold(stage, "/v1/tenants/acme/runs/r-1/support-requests");
  await panel.send.click();
  await slow.isHeld();
  await go(stage, "acme", "r-2");
  await panel.button("Send request").waitFor();
  await panel.field("Summary").fill("About run 2");
  slow.release();
  await waitFor("the event", () => page.evaluate<boolean>("events.length === 1"));
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 50)));
  assert(await panel.field("Summary").evaluate((field) => field.matches(":focus")));
  assertEquals(await panel.dialog.locator("#latest").count(), 0);
  assertEquals(await panel.field("Summary").inputValue(), "About run 2");
  await panel.send.click();
  await panel.result.getByText("About run 2").waitFor();
  assertEquals(posts.map(({ path, body }) => `${path} ${body.summary}`), [
    "/v1/tenants/acme/runs/r-1/support-requests About run 1",
    "/v1/tenants/acme/runs/r-2/support-requests About run 2",
  ]);
  await go(stage, "acme", "r-1");
  await panel.strip.locator(".line").getByText("About run 1").waitFor();
  assertEquals(await panel.field("Summary").inputValue(), "");
});

test("an older response never replaces a newer one", async (stage) => {
  const { panel, page } = stage;
  await store(stage, { summary: "The older" });
  let release = () => {};
  const gone = new Promise<void>((resolve) => release = resolve);
  await page.route("**/latest", async (route) => {
    const response = await route.fetch();
    await gone;
    await route.fulfill({ response });
  }, { times: 1 });
  const older = page.waitForRequest("**/latest");
  await page.getByRole("button", { name: "Request support" }).click();
  await older;
  await page.keyboard.press("Escape");
  await panel.dialog.waitFor({ state: "hidden" });
  await store(stage, { summary: "The newer" });
  await panel.open();
  await panel.strip.locator(".line").getByText("The newer").waitFor();
  release();
  await (await (await older).response())?.finished();
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 50)));
  assertEquals(await panel.strip.locator(".line").getByText("The newer").count(), 1);
}, { not: { webkit: WEBKIT_LACKS.events } });

for (const run of ["..", "", "a/../..", "r 1"]) {
  test(`the run '${run}' is not taken for another context`, async (stage) => {
    const { panel, posts, requested } = stage;
    await store(stage, { summary: "Of the tenant" });
    requested.length = 0;
    await go(stage, "acme", run);
    await panel.open();
    const sentence = "Support is not set up correctly on this page.";
    await panel.strip.getByText(sentence).waitFor();
    await panel.field("Summary").fill("Lost?");
    await panel.send.click();
    await panel.alert.getByText(sentence).waitFor();
    assert(stage.complaints.splice(0).every((text) => text.includes("run is missing or invalid")));
    assertEquals(requested, []);
    assertEquals(posts.length, 1);
  });
}
