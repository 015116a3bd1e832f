/// <reference lib="dom" />
import { rootElement } from "./dom.ts";
import { scriptService } from "./script_url.ts";
import { EN, TEXT_KEYS, type Texts } from "./texts/en.ts";

/** The languages that the panel is written in. */
export const LOCALES = ["en", "de", "fr", "es", "pt", "ja", "ar"] as const;
export type Locale = (typeof LOCALES)[number];

/** Loads the texts of a language. */
export type LocaleLoader = (locale: Locale) => Promise<unknown>;

const loaded = new Map<string, Promise<Texts>>();

let load: LocaleLoader = async (locale) => {
  const url = `${scriptService()}panel/locales/${locale}.json`;
  // JSON is covered by the page's `connect-src`, which has to allow the service in any case.
  const response = await fetch(url, { credentials: "omit" });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return await response.json();
};

/** Replaces how texts are loaded, for a page that bundles them. */
export function setLocaleLoader(loader: LocaleLoader): void {
  load = loader;
  loaded.clear();
}

/** Returns the texts of a language with English for what it lacks. A failed load is tried again. */
export function loadTexts(locale: Locale): Promise<Texts> {
  if (locale === "en") return Promise.resolve(EN);
  let texts = loaded.get(locale);
  if (!texts) {
    texts = load(locale).then((own) => withFallback(own, EN));
    texts.catch(() => loaded.delete(locale));
    loaded.set(locale, texts);
  }
  return texts;
}

/** Returns `own` where it has a text, and otherwise the fallback. It comes from outside: from a page. */
export function withFallback(own: unknown, fallback: Texts): Texts {
  const texts = { ...fallback };
  for (const key of TEXT_KEYS) {
    const text = (own as Partial<Texts> | null | undefined)?.[key];
    if (typeof text === "string") texts[key] = text;
  }
  return texts;
}

/** Returns the language tag that applies to an element: its own, an ancestor's, or the page's. */
export function languageOf(element: Element): string {
  return (element.closest<HTMLElement>("[lang]") ?? rootElement()).lang;
}

/** Returns the language of a tag such as `pt-BR`; English if the panel is not written in it. */
export function localeOf(tag: string): Locale {
  const primary = tag.toLowerCase().split(/[-_]/)[0];
  return LOCALES.find((locale) => locale === primary) ?? "en";
}
