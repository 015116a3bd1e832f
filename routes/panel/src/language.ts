/// <reference lib="dom" />
import { logError } from "./log_error.ts";
import { languageOf, loadTexts, localeOf, withFallback } from "./locales.ts";
import type { Session } from "./session.ts";
import { EN, type Texts } from "./texts/en.ts";

/** The language of one panel, and its texts. */
export interface Language {
  /** What the page or the element says, such as `de-AT`. */
  tag: string;
  texts: Texts;
  /** Follows the language that applies to the element, and the page's own texts. */
  follow(): void;
}

export function createLanguage({ element, settings, render }: Session): Language {
  /** The locale's own texts, without those that the page replaces. */
  let own = EN;
  const language: Language = { tag: "", texts: EN, follow };

  function follow(): void {
    language.tag = languageOf(element);
    const locale = localeOf(language.tag);
    const apply = (loaded: Texts) => {
      // It may have changed again in the meantime.
      if (localeOf(language.tag) !== locale) return;
      own = loaded;
      language.texts = withFallback(settings.texts, own);
      render();
    };
    apply(own);
    // What is shown already need not be rendered again.
    loadTexts(locale).then((loaded) => loaded === own || apply(loaded), logError);
  }
  return language;
}
