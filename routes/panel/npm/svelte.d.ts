/** Types of `<support-request-panel>` for Svelte 5. */
import type { HTMLAttributes } from "svelte/elements";
import type { PanelHandlers, PanelProperties } from "./attributes.js";
import type { SupportRequestPanelElement } from "./index.js";

export * from "./index.js";

declare module "svelte/elements" {
  interface SvelteHTMLElements {
    "support-request-panel":
      & Omit<HTMLAttributes<SupportRequestPanelElement>, keyof PanelProperties>
      & PanelProperties
      & PanelHandlers;
  }
}
