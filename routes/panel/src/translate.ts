import type { TextKey, Texts, TextValues } from "./texts/en.ts";

/** Returns a text in the panel's language, with its placeholders filled in. */
export type Translate = (key: TextKey, values?: TextValues) => string;

export function createTranslate(texts: Texts, common: TextValues): Translate {
  return (key, values) => {
    const all: TextValues = { ...common, ...values };
    return texts[key].replace(/\{(\w+)\}/g, (placeholder, name) => {
      if (!Object.hasOwn(all, name)) return placeholder;
      // Isolates keep "#42" and a Latin name in order within right-to-left text.
      return texts.dir === "rtl" ? `\u2068${all[name]}\u2069` : String(all[name]);
    });
  };
}

/** Formats a time in the page's variety of the language, such as `de-AT`. */
export function formatTime(iso: string, { lang }: Texts, pageLanguage: string): string {
  try {
    const tag = pageLanguage.startsWith(lang) ? pageLanguage : lang;
    return new Date(iso).toLocaleString(tag, { dateStyle: "medium", timeStyle: "short" });
  } catch {
    // Not a language tag.
    return iso;
  }
}
