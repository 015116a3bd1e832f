/// <reference lib="dom" />
import { logError } from "./log_error.ts";
import { SupportRequestPanelElement } from "./element.ts";

export const TAG = "support-request-panel";

/**
 * Defines `<support-request-panel>`, unless the page has it already. Does nothing on a server, and
 * nothing but say so in a browser that is too old.
 */
export function define(): void {
  if (typeof customElements === "undefined" || customElements.get(TAG)) return;
  // The newest of what the panel needs.
  const isSupported = CSS.supports("color", "color-mix(in srgb, red, red)");
  if (isSupported) customElements.define(TAG, SupportRequestPanelElement);
  else {
    logError(`needs Chrome 111, Safari 16.4 or Firefox 114`);
  }
}
