/**
 * `<support-request-panel>` for products with a build step.
 *
 * ```ts
 * import { define } from "@deskhand/panel";
 *
 * define();
 * ```
 *
 * Importing it is safe on a server, where `define()` does nothing.
 *
 * @module
 */
import { define as defineElement, TAG } from "../src/define.ts";
import { SupportRequestPanelElement } from "../src/element.ts";
import { type Locale, setLocaleLoader } from "../src/locales.ts";
import { loadLocale } from "./locales.ts";

export { SupportRequestPanelElement, TAG };
export type { Locale };
export type * from "../src/types.ts";
export type { Texts } from "../src/texts/en.ts";

/** Defines `<support-request-panel>`, whose languages are loaded from this package. */
export function define(): void {
  setLocaleLoader(loadLocale);
  defineElement();
}
