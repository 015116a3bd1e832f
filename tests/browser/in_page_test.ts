/// <reference lib="dom" />
/** The panel in pages of every kind: frameworks, frames, policies, and pages that get in its way. */
import { assert, assertEquals } from "@std/assert";
import type {} from "../../routes/panel/src/element.ts";
import { waitFor } from "../support/wait_for.ts";
import { useStageTests, WEBKIT_LACKS } from "./suite.ts";

const test = useStageTests();

test("open is a method, an attribute and a boolean property", async ({ page, panel }) => {
  for (
    const [open, close] of [
      ["panel.show()", "panel.close()"],
      ["panel.setAttribute('open', '')", "panel.removeAttribute('open')"],
      // As React 18 writes a boolean.
      ["panel.setAttribute('open', 'true')", "panel.setAttribute('open', 'false')"],
      ["panel.open = true", "panel.open = false"],
      ["panel.open = ''", "panel.open = null"],
      ["panel.show(); panel.show()", "panel.close(); panel.close()"],
    ]
  ) {
    assertEquals(await page.evaluate("panel.open"), false);
    await page.evaluate(open!);
    await panel.dialog.waitFor();
    assertEquals(await page.evaluate("panel.open"), true);
    await page.evaluate(close!);
    await panel.dialog.waitFor({ state: "hidden" });
  }
  await page.evaluate("panel.setAttribute('open', 'false'); panel.open = true");
  await panel.dialog.waitFor();
  await page.keyboard.press("Escape");
  await page.locator("support-request-panel:not([open])").waitFor({ state: "attached" });
});

test("a panel that is closed from the start stays closed", async ({ page, panel }) => {
  assertEquals(await page.evaluate("panel.open"), false);
  assertEquals(await panel.dialog.isVisible(), false);
}, { attributes: `tenant="acme" open="false"` });

test("properties may be set before the element is defined", async (stage) => {
  const { page, panel } = stage;
  await panel.dialog.waitFor();
  assertEquals(await page.evaluate("[panel.tenant, panel.open, panel.modes.join()]"), [
    "acme",
    true,
    "create",
  ]);
  assertEquals(await panel.dialog.locator("#title").innerText(), "Early");
  assert((await panel.dialog.locator("#contact").innerText()).includes("Ada"));
}, {
  attributes: "",
  before: `
    addEventListener("DOMContentLoaded", () => {}, { once: true });
    new MutationObserver((_, observer) => {
      const panel = document.querySelector("support-request-panel");
      if (!panel || customElements.get("support-request-panel")) return;
      observer.disconnect();
      Object.assign(panel, {
        open: true, texts: { title: "Early" }, contact: { name: "Ada" }, modes: ["create"], tenant: "acme",
        getToken: () => fetch("/token").then((response) => response.text()),
      });
    }).observe(document, { childList: true, subtree: true });
  `,
});

test("an element may be created, configured and connected in any order", async ({ page }) => {
  const title = await page.evaluate(() => {
    const element = document.createElement("support-request-panel");
    element.open = true;
    element.texts = { title: "Made" };
    element.tenant = "acme";
    document.body.append(element);
    element.getToken = () => fetch("/token").then((response) => response.text());
    return element.shadowRoot!.getElementById("title")!.textContent;
  });
  assertEquals(title, "Made");
});

test("the page hears of opening, sending, failing and closing", async (stage) => {
  const { page, panel } = stage;
  await page.evaluate(`
    globalThis.heard = [];
    for (const name of ["open", "close", "submitted", "error"]) {
      document.addEventListener("support-request-" + name, ({ detail }) =>
        heard.push([name, detail?.kind ?? detail?.reference?.slice(0, 3) ?? null, detail?.during ?? null]));
    }
    panel.addEventListener("close", () => heard.push(["close event", null, null]));
  `);
  await panel.open();
  await panel.field("Summary").fill("One");
  await page.route("**/support-requests", (route) => route.abort(), { times: 1 });
  await panel.send.click();
  await panel.alert.getByText("could not be reached").waitFor();
  await panel.send.click();
  await panel.button("Done").click();
  await waitFor("five events", () => page.evaluate<boolean>("heard.length === 5"));
  assertEquals(await page.evaluate("heard"), [
    ["open", null, null],
    ["error", "unreachable", "submit"],
    ["submitted", "SR-", null],
    ["close event", null, null],
    ["close", null, null],
  ]);
  stage.complaints.length = 0;
});

test("the page gets no keys that are typed here, as for its own shortcuts", async ({ page, panel }) => {
  await page.evaluate(`
    globalThis.keys = [];
    for (const name of ["keydown", "keypress", "keyup"]) {
      document.addEventListener(name, ({ type, key }) => keys.push(type + key));
    }
  `);
  await page.evaluate("panel.show()");
  await panel.field("Summary").pressSequentially("s/?");
  assertEquals(await page.evaluate("keys"), []);
});

test("a copy of the page that Turbo keeps does not open by itself", async ({ page, panel }) => {
  await panel.open();
  await page.evaluate("dispatchEvent(new Event('turbo:before-cache'))");
  const copy = await page.evaluate<boolean>(
    "document.body.cloneNode(true).querySelector('[open]') === null",
  );
  assert(copy);
  await panel.dialog.waitFor({ state: "hidden" });
});

const SANDBOXED = (service: string) =>
  `<script src='${service}/panel.js'></script>
  <support-request-panel tenant='acme' open></support-request-panel>
  <script nonce='stage'>
    document.querySelector('support-request-panel').getToken =
      () => fetch('/token').then((response) => response.text());
  </script>`;

test("in a frame without allow-forms, a request can be sent", async (stage) => {
  const dialog = stage.page.frameLocator("iframe").getByRole("dialog");
  // The page was not set up when the panel opened, and is a moment later.
  await dialog.locator("#strip").getByText("will get your request").waitFor();
  stage.complaints.length = 0;
  await dialog.getByLabel("Summary").fill("From a sandbox");
  await dialog.locator("#send").click();
  await dialog.locator("#headline").waitFor();
  assertEquals(stage.posts.length, 1);
}, {
  not: { webkit: WEBKIT_LACKS.frames },
  head: (service) =>
    `<iframe sandbox="allow-scripts allow-same-origin" width="600" height="600"
      srcdoc="${SANDBOXED(service)}"></iframe>`,
});

test("in a hidden parent, the page stays usable and its developer is told", async (stage) => {
  const { page, panel, complaints } = stage;
  await page.evaluate(
    "document.body.append(Object.assign(document.createElement('div'), { id: 'box', hidden: true })); box.append(panel)",
  );
  await page.evaluate("panel.show()");
  assertEquals(await page.evaluate("panel.open"), false);
  assert(complaints.splice(0).some((text) => text.includes("hidden element")));
  await page.locator("#ask").click({ trial: true });
  await page.evaluate("box.hidden = false; panel.show()");
  await panel.dialog.waitFor();
  // Within one frame, an observer of sizes does not see that the dialog was rendered.
  await page.evaluate(
    "new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))",
  );
  await page.evaluate("box.hidden = true");
  await page.locator("support-request-panel:not([open])").waitFor({ state: "attached" });
  await page.locator("#ask").click({ trial: true });
});

const CLOBBERS = [
  "currentScript",
  "createElement",
  "createElementNS",
  "querySelector",
  "documentElement",
  "baseURI",
  "body",
  "addEventListener",
  "execCommand",
  "activeElement",
  "getElementById",
];

test("images named like the document's members do no harm", async (stage) => {
  const { page, panel, url, requested } = stage;
  await page.locator("support-request-panel").evaluate((element) =>
    (element as HTMLElement & { show(): void }).show()
  );
  await panel.dialog.locator("#strip[aria-busy=false]").waitFor({ state: "attached" });
  assertEquals(requested.at(-1), `${url}/v1/tenants/acme/support-requests/latest`);
  await panel.dialog.locator("#summary").fill("Clobbered");
  await panel.dialog.locator("#send").click();
  await panel.dialog.locator("#copy").click();
  await panel.dialog.locator("#copy").getByText(/Copied|Selected/).waitFor();
  stage.complaints.length = 0;
}, {
  head: () => CLOBBERS.map((name) => `<img name="${name}" src="data:,panel.js" alt="">`).join(""),
  before: `
    const { querySelector } = Document.prototype;
    globalThis.setUp = () => {};
    new MutationObserver(() => {
      const panel = querySelector.call(document, "support-request-panel");
      if (panel) panel.getToken ??= () => fetch("/token").then((response) => response.text());
    }).observe(document, { childList: true, subtree: true });
  `,
});

test("a reference is copied, and selected where the page may not copy", async (stage) => {
  const { page, panel } = stage;
  await panel.open();
  await panel.field("Summary").fill("Copy me");
  await panel.send.click();
  await page.evaluate(`
    navigator.clipboard.writeText = (text) => { globalThis.copied = text; return Promise.resolve(); };
  `);
  await panel.button("Copy").click();
  await panel.button("Copied").waitFor();
  const reference = await panel.result.locator("code").innerText();
  assertEquals(await page.evaluate("copied"), reference);
  await page.evaluate(`
    navigator.clipboard.writeText = () => Promise.reject(new Error("no"));
    Document.prototype.execCommand = () => false;
  `);
  await panel.button("Copied").click();
  await panel.button("Selected").waitFor();
  const { width } = (await panel.result.locator("code").boundingBox())!;
  const lines = await panel.result.locator("code").evaluate((code) => code.getClientRects().length);
  assert(width > 0 && lines === 1);
});

test("a browser that is too old is told in one line, and nothing is defined", async (stage) => {
  const { page, complaints } = stage;
  assertEquals(
    await page.evaluate("customElements.get('support-request-panel') === undefined"),
    true,
  );
  assert(
    complaints.splice(0).some((text) => text.includes("Chrome 111, Safari 16.4 or Firefox 114")),
  );
}, { before: "CSS.supports = () => false" });

test("the oldest supported browsers' gaps are filled", async (stage) => {
  const { panel } = stage;
  await panel.open();
  await panel.field("Summary").fill("Old");
  await panel.send.click();
  await panel.result.locator("#headline").waitFor();
}, {
  before: `
    delete URL.parse;
    delete Promise.withResolvers;
    delete AbortSignal.any;
    delete Object.groupBy;
    for (const name of ["toSorted", "toReversed", "with", "toSpliced"]) delete Array.prototype[name];
    for (const name of ["ariaInvalid", "ariaDisabled", "ariaLabel"]) delete Element.prototype[name];
    delete globalThis.requestIdleCallback;
  `,
});
