/// <reference lib="dom" />
/** Responses of any shape end in a sentence, and in a button that works. */
import { assert, assertEquals } from "@std/assert";
import type { Route } from "playwright-core";
import { waitFor } from "../support/wait_for.ts";
import { FAULTS, useStageTests, WEBKIT_LACKS } from "./suite.ts";
import { type Stage } from "./stage.ts";

// Nothing of it throws anywhere.
const test = useStageTests({ forbids: FAULTS });

const VALID = {
  reference: "SR-01M857JJM2SCJ21CGTHC4N37D3",
  context: { kind: "tenant", tenantId: "acme" },
  summary: "Valid",
  severity: "normal",
  createdAt: "2026-11-23T12:00:00.000Z",
  createdBy: { id: "u-1" },
  handoff: { status: "none" },
};

const ticket = { reference: "1", url: "https://desk.example/1" };

/** Support requests that are none. */
const NO_REQUESTS: unknown[] = [
  ...[null, 0, "", "text", true, [], [VALID], {}, { error: "no" }],
  { data: { type: "support-requests", id: "1", attributes: VALID } },
  { ...VALID, reference: null },
  { ...VALID, reference: { toString: "SR" } },
  { ...VALID, summary: ["a"] },
  { ...VALID, severity: "constructor" },
  { ...VALID, createdAt: "yesterday" },
  { ...VALID, createdBy: null },
  { ...VALID, createdBy: { id: 7 } },
  { ...VALID, handoff: null },
  { ...VALID, handoff: "created" },
  { ...VALID, handoff: { status: "toString" } },
  { ...VALID, handoff: { status: "created" } },
  { ...VALID, handoff: { status: "created", ticket: [] } },
  { ...VALID, handoff: { status: "linked", ticket: { ...ticket, url: 1 } } },
  { ...VALID, handoff: { status: "failed", reason: "desk_timeout" } },
  { ...VALID, handoff: { status: "failed", reason: {}, ticketMayExist: true } },
];

const summaryOf = (supportRequest: unknown) => ({
  desk: null,
  handoffModes: ["none"],
  supportRequest,
});

const NO_SUMMARIES: unknown[] = [
  ...NO_REQUESTS.filter((request) => request !== null).map(summaryOf),
  ...[null, 0, "text", [], {}],
  { ...summaryOf(null), handoffModes: null },
  { ...summaryOf(null), handoffModes: [] },
  { ...summaryOf(null), handoffModes: ["__proto__", "constructor", 3] },
  { ...summaryOf(null), handoffModes: { length: 1 } },
  { ...summaryOf(null), desk: "Acme" },
  { ...summaryOf(null), desk: { label: {} } },
];

/** Bodies that a proxy may send with any status. */
const BODIES = [
  ...["", "null", "[]", "{", "<html><b>Bad gateway", "\u0000", "NaN", `"text"`, "1e999"],
  ...[
    `{"errors":null}`,
    `{"errors":{}}`,
    `{"errors":[null,1,"a",[]]}`,
    `{"__proto__":{"errors":[]}}`,
  ],
  `{"errors":[{"status":"422","source":{"pointer":"/data/attributes/summary"},"title":"Invalid"}]}`,
  `{"errors":[{"pointer":"#/constructor","detail":{}}],"detail":["a"]}`,
  `{"errors":[{"pointer":"#/summary/__proto__"}]}`,
  `{"type":{"toString":1},"detail":{"toString":1},"errors":[{"pointer":{"toString":1}}]}`,
  `{"errors":${JSON.stringify(Array(5000).fill({ pointer: "#/diagnostics" }))}}`,
];

const HEADERS = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Expose-Headers": "Retry-After, X-Request-Id",
};

const send = (route: Route, status: number, body: string, headers = {}) =>
  route.fulfill({ status, body, headers: { ...HEADERS, ...headers } });

/** Sends the form, and waits until the panel has said what became of it. */
async function submit({ panel }: Stage) {
  await panel.dialog.locator("#send[aria-disabled=false]").waitFor();
  await panel.field("Summary").fill(`Try ${Math.random()}`);
  await panel.send.click();
  await panel.dialog.locator("#send[aria-disabled=false]").waitFor();
}

test("a submission's response of another shape is called unexpected", async (stage) => {
  const { page, panel } = stage;
  await panel.open();
  let body: unknown;
  await page.route("**/support-requests", (route) => send(route, 201, JSON.stringify(body)));
  for (body of NO_REQUESTS) {
    await submit(stage);
    const text = await panel.alert.innerText();
    assert(
      text.startsWith("The support service sent an unexpected response."),
      JSON.stringify(body),
    );
    assert(text.includes("may already be saved"));
  }
});

test("a summary of another shape is called unexpected, and the form still works", async (stage) => {
  const { page, panel } = stage;
  let body: unknown = NO_SUMMARIES[0];
  await page.route("**/latest", (route) => send(route, 200, JSON.stringify(body)));
  await panel.open();
  for (body of NO_SUMMARIES) {
    const response = page.waitForResponse("**/latest");
    await panel.dialog.locator("#reload").click();
    await (await response).finished();
    await panel.dialog.locator("#strip[aria-busy=false]").waitFor();
    const text = await panel.strip.innerText();
    assert(text.includes("unexpected response"), `${JSON.stringify(body)}: ${text}`);
  }
  await panel.field("Summary").fill("Still possible");
  await panel.send.click();
  await panel.result.locator("#headline").waitFor();
}, { not: { webkit: WEBKIT_LACKS.events } });

test("an error of any status with any body has a sentence and a working button", async (stage) => {
  const { page, panel, engine } = stage;
  await panel.open();
  let status = 0;
  let body = "";
  await page.route("**/support-requests", (route) => send(route, status, body));
  const statuses = [200, 299, 400, 404, 413, 418, 422, 500, 502, 599];
  // What differs between engines is how they parse a body, which takes one status.
  for (status of engine === "chromium" ? statuses : [422]) {
    for (body of BODIES) {
      await submit(stage);
      const text = await panel.alert.innerText();
      assert(
        /^(The support service|Your request is too large|Support is not)/.test(text),
        `${status} ${body}: ${text}`,
      );
      assert(!/undefined|null|\[object|Bad gateway/.test(text), text);
    }
  }
});

test("a delay of any kind ends, and in two minutes at most", async (stage) => {
  const { page, panel, engine } = stage;
  await panel.open();
  // A delay of a second can be over before it is read.
  await page.evaluate(`
    seen = [];
    new MutationObserver(() => seen.push(panel.shadowRoot.querySelector("#progress").textContent))
      .observe(panel.shadowRoot, { subtree: true, childList: true, characterData: true });
  `);
  const countdown = (): Promise<string | undefined> =>
    page.evaluate("seen.find((text) => text.startsWith('Try again in'))");
  for (const delay of ["1e9", "-5", "NaN", "Infinity", "soon", "", "0.2", "9".repeat(400)]) {
    if (delay === "" && engine === "firefox") continue; // its driver drops a header without a value
    await page.route(
      "**/support-requests",
      (route) => send(route, 429, "{}", { "Retry-After": delay }),
      { times: 1 },
    );
    await panel.field("Summary").fill("Once more");
    await panel.send.click();
    const text = await waitFor(`the countdown of '${delay}'`, countdown, Boolean);
    const seconds = Number(/^Try again in (\d+) s\.$/.exec(text!)?.[1]);
    assert(seconds >= 1 && seconds <= 120, `${delay}: ${text}`);
    // Another context has another draft, and nothing to wait for.
    await page.evaluate("panel.run = `r-${Math.random()}`");
    await panel.dialog.locator("#send[aria-disabled=false]").waitFor();
    await page.evaluate("seen.length = 0");
  }
});

test("a response that never ends is left after twenty seconds", async (stage) => {
  const { page, panel } = stage;
  await panel.open();
  await page.clock.install();
  await page.evaluate(() => {
    const { fetch } = globalThis;
    globalThis.fetch = (input, init) =>
      init?.method !== "POST" ? fetch(input, init) : Promise.resolve(
        new Response(new ReadableStream({ pull: () => new Promise(() => {}) }), { status: 201 }),
      );
  });
  await panel.field("Summary").fill("Endless");
  await panel.send.click();
  await page.clock.runFor(100);
  await page.clock.runFor(21_000);
  await panel.alert.getByText("The support service did not respond in time.").waitFor();
  assertEquals(await panel.send.getAttribute("aria-disabled"), "false");
}, { not: { webkit: WEBKIT_LACKS.clock } });

test("a response without an end is read no further than 256 KiB", async (stage) => {
  const { page, panel } = stage;
  await panel.open();
  await page.evaluate(() => {
    const { fetch } = globalThis;
    let bytes = 0;
    globalThis.fetch = (input, init) =>
      init?.method !== "POST" ? fetch(input, init) : Promise.resolve(
        new Response(
          new ReadableStream({
            pull(controller) {
              controller.enqueue(new Uint8Array(65_536).fill(32));
              (globalThis as unknown as { bytes: number }).bytes = bytes += 65_536;
            },
          }),
          { status: 201 },
        ),
      );
  });
  await panel.field("Summary").fill("Endless");
  await panel.send.click();
  await panel.alert.getByText("unexpected response").waitFor();
  const bytes = await page.evaluate<number>("globalThis.bytes");
  assert(bytes < 512 * 1024, `${bytes}`);
});

test("a token and diagnostics that never arrive do not hold the button", async (stage) => {
  const { page, panel, posts } = stage;
  await panel.open();
  await page.clock.install();
  await page.evaluate("panel.diagnostics = () => new Promise(() => {})");
  await panel.field("Summary").fill("Without diagnostics");
  await panel.send.click();
  await page.clock.fastForward(4_000);
  await panel.result.locator("#headline").waitFor();
  assertEquals(posts[0]!.body.diagnostics, { diagnostics: "could not be collected" });
  await page.evaluate("panel.getToken = () => new Promise(() => {})");
  await panel.button("New request").click();
  await panel.field("Summary").fill("Without a token");
  await panel.send.click();
  await page.clock.fastForward(4_000);
  await page.clock.fastForward(21_000);
  await panel.alert.getByText("This page couldn’t verify who you are.").waitFor();
  assertEquals(await panel.send.getAttribute("aria-disabled"), "false");
}, { not: { webkit: WEBKIT_LACKS.clock } });
