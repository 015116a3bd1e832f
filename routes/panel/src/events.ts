/// <reference lib="dom" />
import type { SupportRequestEventMap } from "./types.ts";

/** Dispatches an event of the element that the page hears at the element and above it. */
export function dispatch<K extends keyof SupportRequestEventMap>(
  element: Element,
  name: K,
  detail?: SupportRequestEventMap[K]["detail"],
): void {
  element.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
}
