/// <reference lib="dom" />
/** What a page knows, nobody has to type. */
import { assert, assertEquals } from "@std/assert";
import { FAULTS, useStageTests } from "./suite.ts";
import { type Stage } from "./stage.ts";

const test = useStageTests({ forbids: FAULTS });

async function submit({ panel, posts }: Stage) {
  await panel.field("Summary").fill("It stops");
  await panel.send.click();
  await panel.result.locator("#headline").waitFor();
  return posts.at(-1)!.body;
}

test("a known contact is shown, not asked for, and sent", async (stage) => {
  const { page, panel } = stage;
  await page.evaluate(`panel.contact = { name: "Ada Lovelace", email: "ada@acme.example" }`);
  await panel.open();
  assertEquals(
    await panel.dialog.locator("#contact").innerText(),
    "Contact\nAda Lovelace · ada@acme.example",
  );
  assertEquals(await panel.field(/Your name/).isVisible(), false);
  assertEquals(await panel.field(/Your email/).isVisible(), false);
  const { contact } = await submit(stage);
  assertEquals(contact, { name: "Ada Lovelace", email: "ada@acme.example" });
});

test("what a page does not know of a contact is asked for", async (stage) => {
  const { page, panel } = stage;
  for (
    const contact of [
      "{ name: 'Ada', email: null }",
      "{ name: 'Ada', email: 7 }",
      "{ name: 'Ada' }",
    ]
  ) {
    await page.evaluate(`panel.contact = ${contact}`);
    await panel.open();
    assertEquals(await panel.field(/Your name/).isVisible(), false);
    assert(await panel.field(/Your email/).isVisible());
    await page.keyboard.press("Escape");
  }
  for (const contact of ["null", "'Ada'", "[]", "undefined", "{ __proto__: null }"]) {
    await page.evaluate(`panel.contact = ${contact}`);
    await panel.open();
    assert(await panel.field(/Your name/).isVisible(), contact);
    await page.keyboard.press("Escape");
  }
});

test("a contact that the service rejects can be corrected", async (stage) => {
  const { page, panel } = stage;
  await page.evaluate(`panel.contact = { name: "Ada", email: "ada at acme" }`);
  await panel.open();
  await panel.field("Summary").fill("It stops");
  await panel.send.click();
  await panel.dialog.getByText("Enter an email address such as ada@example.com.").waitFor();
  assertEquals(await panel.field(/Your email/).inputValue(), "ada at acme");
  await panel.field(/Your email/).fill("ada@acme.example");
  assertEquals((await submit(stage)).contact, { name: "Ada", email: "ada@acme.example" });
});

test("diagnostics are collected when the request is sent", async (stage) => {
  const { page, panel } = stage;
  await page.evaluate(`
    globalThis.count = 0;
    panel.diagnostics = async () => ({ build: "1.2", count: ++count, on: true, nested: { a: [1] }, gone: undefined });
  `);
  await panel.open();
  assertEquals(await page.evaluate("count"), 0);
  assertEquals((await submit(stage)).diagnostics, {
    build: "1.2",
    count: "1",
    on: "true",
    nested: `{"a":[1]}`,
  });
});

for (
  const [name, source] of [
    ["throw", "() => { throw new Error('no') }"],
    ["reject", "() => Promise.reject(new Error('no'))"],
    ["are no object", "() => 'text'"],
    ["are a list", "[1]"],
  ] as const
) {
  test(`diagnostics that ${name} do not cost the request`, async (stage) => {
    await stage.page.evaluate(`panel.diagnostics = ${source}`);
    await stage.panel.open();
    const { diagnostics } = await submit(stage);
    assertEquals(diagnostics, { diagnostics: "could not be collected" });
    assert(stage.complaints.some((text) => text.includes("support-request-panel:")));
  });
}

test("diagnostics of any size and kind fit into the request", async (stage) => {
  const { page, panel } = stage;
  await page.evaluate(`
    const circle = {}; circle.self = circle;
    panel.diagnostics = {
      circle, big: 10n, symbol: Symbol("s"), log: "日".repeat(100_000), more: "x".repeat(100_000),
      date: new Date(0), map: new Map(), fn() {}, ["__proto__"]: 1,
    };
  `);
  await panel.open();
  await panel.field(/Description/).fill("🛟".repeat(8000));
  const { diagnostics } = await submit(stage);
  const { circle, big, log } = diagnostics as Record<string, string>;
  assertEquals([circle, big], ["(not readable)", "10"]);
  assert(log!.length > 100);
});

test("the page's URL and the browser are sent only if the page says so", async (stage) => {
  const { page, panel } = stage;
  await page.evaluate("history.replaceState(null, '', '/?secret=1#token')");
  await panel.open();
  assertEquals("diagnostics" in await submit(stage), false);
  await page.evaluate("panel.setAttribute('collect', 'page-url user-agent')");
  await panel.button("New request").click();
  const diagnostics = (await submit(stage)).diagnostics as Record<string, string>;
  assertEquals(diagnostics["page-url"], new URL("/", page.url()).href);
  assertEquals(diagnostics["user-agent"], await page.evaluate("navigator.userAgent"));
});

test("what the request is about stands under the title", async ({ page, panel }) => {
  await panel.open();
  assertEquals(await panel.dialog.locator("#about").innerText(), "Nightly import, run 42");
  await page.evaluate("panel.about = 'Weekly export'");
  assertEquals(await panel.dialog.locator("#about").innerText(), "Weekly export");
  await page.evaluate("panel.innerHTML").catch(() => {});
  await page.evaluate(() => {
    const element = document.createElement("b");
    element.slot = "about";
    element.textContent = "Run 43";
    document.querySelector("support-request-panel")!.append(element);
  });
  assert(await page.getByText("Run 43").isVisible());
  assertEquals(await panel.dialog.locator("#about").isVisible(), false);
}, { attributes: `tenant="acme" about="Nightly import, run 42"` });

test("a page narrows what may become of a request", async (stage) => {
  const { page, panel } = stage;
  await panel.open();
  assertEquals(await panel.field("Send to").isVisible(), false);
  assertEquals((await submit(stage)).handoff, { mode: "create" });
  await page.keyboard.press("Escape");
  await page.evaluate("panel.modes = ['none', 'create', 'constructor']");
  assertEquals(await page.evaluate("panel.modes"), ["none", "create"]);
  await panel.open();
  assertEquals(await panel.field("Send to").locator("option").allInnerTexts(), [
    "Nobody: save it here only",
    "Acme IT desk, as a new ticket",
  ]);
}, { attributes: `tenant="acme" modes="create"` });

test("a mode that the service does not offer does not make a request impossible", async (stage) => {
  await stage.panel.open();
  assertEquals((await submit(stage)).handoff, { mode: "none" });
}, { attributes: `tenant="acme" modes="create"`, hasDesk: false });

test("a fixed severity is not asked for", async (stage) => {
  const { page, panel } = stage;
  await panel.open();
  assertEquals(await panel.field("Severity").isVisible(), false);
  assertEquals((await submit(stage)).severity, "critical");
  await page.keyboard.press("Escape");
  await page.evaluate("panel.severity = 'toString'");
  await panel.open();
  assert(await panel.field("Severity").isVisible());
}, { attributes: `tenant="acme" severity="critical"` });
