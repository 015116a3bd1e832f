/// <reference lib="dom" />
import { h } from "./dom.ts";
import type { OutcomeName } from "./outcome.ts";

/** The outcome of a request as a character that every font has. */
const SIGNS: Record<OutcomeName, string> = {
  created: "✓",
  linked: "⇄",
  none: "✓",
  pending: "…",
  failed: "!",
  unclear: "?",
};

/** Creates a decorative icon: the sign in a disc of the outcome's color. */
export function icon(name: OutcomeName): HTMLElement {
  return h(`span.icon ${name}`, { "aria-hidden": "true" }, SIGNS[name]);
}
