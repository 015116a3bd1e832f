import { assert, assertEquals, assertMatch } from "@std/assert";
import { AR } from "../../../routes/panel/src/texts/ar.ts";
import { DE } from "../../../routes/panel/src/texts/de.ts";
import { EN, type TextKey, type Texts } from "../../../routes/panel/src/texts/en.ts";
import { ES } from "../../../routes/panel/src/texts/es.ts";
import { FR } from "../../../routes/panel/src/texts/fr.ts";
import { JA } from "../../../routes/panel/src/texts/ja.ts";
import { PT } from "../../../routes/panel/src/texts/pt.ts";
import { LOCALES } from "../../../routes/panel/src/locales.ts";
import { FailureReason } from "../../../domain/model/failure.ts";
import { openService } from "../../support/service.ts";

const TRANSLATIONS: Record<string, Texts> = { de: DE, fr: FR, es: ES, pt: PT, ja: JA, ar: AR };

const KEYS = Object.keys(EN) as TextKey[];

/** Texts that may be the same in two languages: names, and words that both have. */
const MAY_BE_EQUAL = ["dir", "desk", "contact", "normal", "description"];

const placeholders = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();

Deno.test("the panel is translated into every language that it offers", () => {
  assertEquals(["en", ...Object.keys(TRANSLATIONS)].sort(), [...LOCALES].sort());
});

for (const [locale, texts] of Object.entries(TRANSLATIONS)) {
  Deno.test(`${locale} has every text, with its placeholders, and none in English`, () => {
    assertEquals(Object.keys(texts).sort(), KEYS.toSorted());
    assertEquals(texts.lang, locale);
    for (const key of KEYS) {
      assert(texts[key].trim() !== "", key);
      if (key === "lang") continue;
      assertEquals(placeholders(texts[key]), placeholders(EN[key]), key);
      if (!MAY_BE_EQUAL.includes(key)) assert(texts[key] !== EN[key], `${key}: ${texts[key]}`);
      // A whole English sentence in another one.
      assertEquals(/\b(the|your|request|please|could not|again)\b/i.exec(texts[key]), null, key);
    }
  });

  Deno.test(`${locale} is served to the panel on pages of any origin`, async () => {
    await using service = await openService();
    const response = await service.call(`/panel/locales/${locale}.json`, { token: null });
    assertEquals(response.headers.get("Content-Type"), "application/json");
    assertEquals(response.headers.get("Access-Control-Allow-Origin"), "*");
    assertMatch(response.headers.get("ETag")!, /^"[\w-]+"$/);
    assertEquals(await response.json(), texts);
  });
}

Deno.test("every reason of a failure has a text", () => {
  assertEquals(FailureReason.options.filter((reason) => !(reason in EN)), []);
});
