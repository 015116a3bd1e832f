/// <reference lib="dom" />
/** The panel speaks the page's language, or the one that its element names. */
import { assert, assertEquals } from "@std/assert";
import { FAULTS, useStageTests } from "./suite.ts";
import { fillIn, leaveInterrupted, store } from "./states.ts";

const test = useStageTests({ forbids: FAULTS });

const TITLES = {
  "en": "Request support",
  "de-AT": "Support anfragen",
  "fr": "Demander de l’aide",
  "es-MX": "Solicitar ayuda",
  "pt-BR": "Pedir suporte",
  "ja": "サポートに依頼",
  "ar-EG": "طلب الدعم",
  "sv": "Request support",
  "": "Request support",
};

for (const [lang, title] of Object.entries(TITLES)) {
  test(
    `on a page in '${lang}', the panel is called ${title}`,
    async ({ page, panel, complaints }) => {
      await page.evaluate("panel.show()");
      await panel.dialog.getByRole("heading", { name: title, exact: true }).waitFor();
      assertEquals(await panel.dialog.getAttribute("dir"), lang.startsWith("ar") ? "rtl" : "ltr");
      assertEquals(complaints, []);
    },
    { lang },
  );
}

test("the element's language comes before the page's, and both may change", async (stage) => {
  const { page, panel } = stage;
  const title = (name: string) =>
    panel.dialog.getByRole("heading", { name, exact: true }).waitFor();
  await panel.open();
  await title("Demander de l’aide");
  await panel.field("Résumé").fill("Typed");
  await page.evaluate("panel.removeAttribute('lang')");
  await title("Support anfragen");
  await page.evaluate("document.documentElement.lang = 'ja'");
  await title("サポートに依頼");
  await page.evaluate("panel.texts = { title: 'Hilfe!', send: 7, unknown: 'x' }");
  await title("Hilfe!");
  assertEquals(await panel.send.innerText(), "依頼を送信");
  await page.evaluate("panel.texts = null");
  await title("サポートに依頼");
  assertEquals(await panel.dialog.locator("#summary").inputValue(), "Typed");
}, { lang: "de", attributes: `tenant="acme" lang="fr"` });

test("a language that cannot be loaded is English, and is tried again", async ({ page, panel }) => {
  await page.evaluate("document.documentElement.lang = 'es'");
  await page.route("**/locales/es.json", (route) => route.abort(), { times: 1 });
  await panel.open();
  await panel.dialog.getByRole("heading", { name: "Request support" }).waitFor();
  await page.keyboard.press("Escape");
  await page.locator("support-request-panel:not([open])").waitFor({ state: "attached" });
  await page.evaluate("panel.show()");
  await panel.dialog.getByRole("heading", { name: "Solicitar ayuda" }).waitFor();
});

test("texts of any shape do no harm", async ({ page, panel }) => {
  for (const texts of ["7", "'text'", "[]", "{ title: null }", "{ __proto__: { title: 'P' } }"]) {
    await page.evaluate(`panel.texts = ${texts}`);
    await panel.open();
    assert((await panel.dialog.locator("#title").innerText()).length > 0);
    await page.keyboard.press("Escape");
  }
});

/** Words of the English panel that no other language has. */
const ENGLISH = /\b(your|request|ticket could|saved|again|reference|summary|describe|copy)\b/i;

test("in a translated panel, no English remains in any state", async (stage) => {
  const { page, panel, desk } = stage;
  const assertTranslated = async () => {
    const texts = await panel.dialog.evaluate((dialog) => {
      const attributes = [...dialog.querySelectorAll("[aria-label]")]
        .map((element) => element.getAttribute("aria-label"));
      return [(dialog as HTMLElement).innerText, ...attributes].join("\n");
    });
    assertEquals(ENGLISH.exec(texts)?.[0], undefined, texts);
  };
  await leaveInterrupted(stage);
  await panel.open();
  await panel.dialog.locator("#latest").click();
  await assertTranslated();
  desk.behave("rubbish");
  await panel.dialog.locator("#resume").click();
  await panel.dialog.locator("#checked").waitFor();
  await assertTranslated();
  await panel.field("Zusammenfassung").fill("x".repeat(201));
  await panel.dialog.locator("#mode").selectOption("link");
  await panel.send.click();
  await assertTranslated();
  for (const status of [401, 403, 404, 409, 413, 422, 429, 500, 201]) {
    await page.route(
      "**/support-requests",
      (route) =>
        route.fulfill({ status, json: {}, headers: { "Access-Control-Allow-Origin": "*" } }),
      { times: status === 409 ? 7 : 1 },
    );
    if (status === 409) continue;
    await panel.dialog.locator("#mode").selectOption("create");
    await panel.field("Zusammenfassung").fill(`Fall ${status}`);
    await panel.dialog.locator("#send[aria-disabled=false]").waitFor();
    await panel.send.click();
    await panel.alert.locator("p").first().waitFor();
    await assertTranslated();
    await page.evaluate(`panel.run = "r-${status}"`);
    await panel.dialog.locator("#send[aria-disabled=false]").waitFor();
  }
  for (const mode of ["refuse", "rubbish", "error", "reject", "rate-limit", "normal"] as const) {
    await page.unrouteAll();
    desk.behave(mode);
    await panel.dialog.locator("#summary").fill(`Fall ${mode}`);
    await panel.send.click();
    await panel.result.locator("#headline").waitFor();
    await assertTranslated();
    await panel.dialog.locator("#another").click();
  }
  await store(stage, { summary: "Fertig" }, "r-done");
}, { lang: "de" });

test("dates follow the page's variety of the language", async (stage) => {
  const { panel } = stage;
  await panel.open();
  await panel.dialog.and(stage.page.locator("[lang=de]")).waitFor();
  await fillIn(stage);
  await panel.send.click();
  const line = await panel.result.locator("small.hint").last().innerText();
  const now = new Date().toLocaleDateString("de-CH", { dateStyle: "medium" });
  assert(line.includes(now), `${line} does not include ${now}`);
}, { lang: "de-CH" });
