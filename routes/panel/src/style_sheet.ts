/// <reference lib="dom" />
import css from "./styles.css" with { type: "text" };

let sheet: CSSStyleSheet | undefined;

/** Returns the style sheet of every panel of the page, which is parsed once. */
export function styleSheet(): CSSStyleSheet {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
  }
  return sheet;
}
