import type { TextKey, Texts, TextValues } from "./texts/en.ts";

/** The panel's language. */
export interface Translate {
  /** Returns a text with its placeholders filled in. */
  (key: TextKey, values?: TextValues): string;
  /** Formats an ISO time in the page's variety of the language, such as `de-AT`. */
  time(iso: string): string;
}

export function createTranslate(texts: Texts, tag: string, common: TextValues): Translate {
  const translate = (key: TextKey, values?: TextValues) => {
    const all: TextValues = { ...common, ...values };
    return texts[key].replace(/\{(\w+)\}/g, (placeholder, name) => {
      if (!Object.hasOwn(all, name)) return placeholder;
      // Isolates keep "#42" and a Latin name in order within right-to-left text.
      return texts.dir === "rtl" ? `\u2068${all[name]}\u2069` : String(all[name]);
    });
  };
  const time = (iso: string) => {
    try {
      const language = tag.startsWith(texts.lang) ? tag : texts.lang;
      return new Date(iso).toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
    } catch {
      // Not a language tag.
      return iso;
    }
  };
  return Object.assign(translate, { time });
}
