/// <reference lib="dom" />
import { Panel } from "./element.ts";

export const TAG = "support-request-panel";

/** Defines `<support-request-panel>`, unless the page has it already. */
export function define(): void {
  if (!customElements.get(TAG)) customElements.define(TAG, Panel);
}
