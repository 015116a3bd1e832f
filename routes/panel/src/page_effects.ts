/// <reference lib="dom" />
/** What an open panel does to the page around it, until it is closed. */
import { rootElement } from "./dom.ts";

let openPanels = 0;
let before = {};

/** Stops the page from scrolling, without moving it, until the signal aborts. */
export function lockScroll(signal: AbortSignal): void {
  const root = rootElement();
  const { style } = root;
  if (openPanels++ === 0) {
    const { overflow, scrollbarGutter } = style;
    before = { overflow, scrollbarGutter };
    if (innerWidth > root.clientWidth) style.scrollbarGutter = "stable";
    style.overflow = "hidden";
  }
  signal.addEventListener("abort", () => {
    if (--openPanels === 0) Object.assign(style, before);
  });
}

/** Keeps the dialog within what a phone's keyboard leaves visible, until the signal aborts. */
export function followKeyboard(dialog: HTMLElement, signal: AbortSignal): void {
  const viewport = globalThis.visualViewport;
  const fit = () => {
    const { scale, height, offsetTop } = viewport!;
    // A page that is zoomed in shows less of itself, too, but has no keyboard over it.
    const isCovered = scale === 1 && height < innerHeight - 1;
    dialog.style.cssText = isCovered ? `--_height: ${height}px; --_top: ${offsetTop}px` : "";
  };
  for (const name of ["resize", "scroll"]) viewport?.addEventListener(name, fit, { signal });
}

/** Calls `onChange` when the page's language changes, until the signal aborts. */
export function followLanguage(onChange: () => void, signal: AbortSignal): void {
  const observer = new MutationObserver(onChange);
  observer.observe(rootElement(), { attributeFilter: ["lang"] });
  signal.addEventListener("abort", () => observer.disconnect());
}

/** Calls `onHidden` when the dialog is no longer rendered: it would make the page inert all the same. */
export function watchVisibility(dialog: HTMLElement, onHidden: () => void): void {
  new ResizeObserver(() => isHidden(dialog) && onHidden()).observe(dialog);
}

export function isHidden(dialog: HTMLElement): boolean {
  return !dialog.offsetWidth;
}
