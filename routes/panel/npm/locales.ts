import type { Locale } from "../src/locales.ts";
import type { Texts } from "../src/texts/en.ts";

const LOADERS: Record<Exclude<Locale, "en">, () => Promise<Texts>> = {
  de: async () => (await import("../src/texts/de.ts")).DE,
  fr: async () => (await import("../src/texts/fr.ts")).FR,
  es: async () => (await import("../src/texts/es.ts")).ES,
  pt: async () => (await import("../src/texts/pt.ts")).PT,
  ja: async () => (await import("../src/texts/ja.ts")).JA,
  ar: async () => (await import("../src/texts/ar.ts")).AR,
};

/** Loads the texts of a language from a separate module, which the product's bundler includes. */
export async function loadLocale(locale: Locale): Promise<Texts | null> {
  return locale === "en" ? null : await LOADERS[locale]();
}
