/// <reference lib="dom" />
import type { SupportRequestEventMap } from "./types.ts";

/** Dispatches an event at the element. It bubbles, and crosses the boundaries of shadow trees. */
export function dispatch<K extends keyof SupportRequestEventMap>(
  element: Element,
  name: K,
  detail?: SupportRequestEventMap[K]["detail"],
): void {
  element.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
}
